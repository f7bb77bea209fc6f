// The simulator itself: what its operations give, and what it reports.
#include <bit>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/cpp/check.h"
#include "tests/cudasim/queue.h"
#include "tests/cudasim/registry.h"
#include "tests/cudasim/simulator_params.h"

namespace {

using namespace bindrt::cudasim;
using namespace bindrt::cudasim::simulator;

std::vector<std::int32_t> run(const char* kernel, unsigned blocks, unsigned threads,
                              const std::vector<std::int32_t>& before) {
  SimQueue queue;
  const DeviceArray<std::int32_t> out(before);
  queue.launch(kernel, {.grid_x = blocks, .block_x = threads}, Params{out.data(), Misuse::kNone});
  return out.download();
}

void test_warp() {
  const auto out = run("bindrt_simulator_warp", 1, 32, std::vector<std::int32_t>(32 * kOperations, -1));
  for (int lane = 0; lane < 32; ++lane) {
    const std::int32_t* const got = out.data() + lane * kOperations;
    CHECK(got[0] == 30);
    CHECK(got[1] == (lane / 8 * 8 + 5) * 10);
    CHECK(got[2] == (lane < 2 ? lane : lane - 2));
    CHECK(got[3] == (lane % 16 < 13 ? lane + 3 : lane));
    CHECK(got[4] == (lane ^ 1));
    CHECK(got[5] == 0x49249249);
    CHECK(got[6] == 0);
    CHECK(got[7] == 1);
    CHECK(static_cast<unsigned>(got[8]) == 0x1FU << (lane / 5 * 5));
    CHECK(got[9] == static_cast<int>(1.5 * (lane ^ 16)));
    CHECK(got[10] == (lane < 16 ? 15 : 8));
    CHECK(got[11] == 31);
  }
}

void test_early_return() {
  const auto out = run("bindrt_simulator_early_return", 1, 32, std::vector<std::int32_t>(8, -1));
  for (const std::int32_t got : out) {
    CHECK(got == 0xFF);
  }
}

void test_block() {
  const auto out = run("bindrt_simulator_block", 3, 64, std::vector<std::int32_t>(3 * 64, -1));
  for (std::size_t number = 0; number < out.size(); ++number) {
    const int opposite = 63 - static_cast<int>(number % 64);
    CHECK(out[number] == 2016 * 1000 + 32 * 100 + 10 + opposite * 10000000);
  }
}

void test_atomics() {
  const auto out = run("bindrt_simulator_atomics", 4, 48, {0, 1000, -5, 0, -1, 0, 0, 0, 0});
  const int count = 4 * 48;
  CHECK(out[0] == count * (count - 1) / 2);
  CHECK(out[1] == 0);
  CHECK(out[2] == count - 1);
  CHECK(out[3] == (1 << 20) - 1);
  CHECK(out[4] == ~((1 << 20) - 1));
  CHECK(out[5] == -out[0]);
  CHECK(out[6] == 0);  // the exclusive or of 0 to 191
  CHECK(std::bit_cast<float>(out[7]) == 0.5F * count);
  CHECK(out[8] == 2 * count);
}

std::string message_of(const char* kernel, const bindrt::kernels::LaunchShape& shape, Misuse misuse) {
  SimQueue queue;
  const DeviceArray<std::int32_t> out(std::vector<std::int32_t>(64, 0));
  try {
    queue.launch(kernel, shape, Params{out.data(), misuse});
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "nothing was reported";
}

void expect(const std::string& message, const std::string& part) {
  const bool good = message.find(part) != std::string::npos;
  if (!good) {
    std::fprintf(stderr, "got \"%s\", want \"%s\"\n", message.c_str(), part.c_str());
  }
  CHECK(good);
}

void test_misuse() {
  const auto report = [](Misuse misuse) {
    return message_of("bindrt_simulator_misuse", {.block_x = 32}, misuse);
  };
  expect(report(Misuse::kNone), "nothing was reported");
  expect(report(Misuse::kBarrierInOneBranch),
         "deadlock: 27 threads at __syncwarp in tests/cudasim/simulator_cuda.cu:");
  expect(report(Misuse::kTwoBarriers),
         "divergent barrier: thread (0,0,0) waits at tests/cudasim/simulator_cuda.cu:");
  expect(report(Misuse::kBarrierAfterReturn),
         "a barrier after some threads returned: 27 threads at the barrier");
  expect(report(Misuse::kShuffleInOneBranch), "deadlock: 5 threads at __shfl_sync");
  expect(report(Misuse::kTwoOperations), "different operations, masks or widths: lane 0 at __shfl_sync");
  expect(report(Misuse::kTwoMasks), "different operations, masks or widths");
  expect(report(Misuse::kNotInOwnMask), "is not in its own mask");
  expect(report(Misuse::kShuffleFromAbsentLane), "a shuffle reads lane 7, which does not take part");
  expect(report(Misuse::kOddWidth), "a power of two up to 32, not 12");
  expect(report(Misuse::kTrap), "__trap at tests/cudasim/simulator_cuda.cu:");
  expect(report(Misuse::kMisalignedAtomic), "misaligned atomic operation");
}

void test_launches() {
  const char* const name = "bindrt_simulator_misuse";
  expect(message_of("bindrt_none", {}, Misuse::kNone), "no kernel bindrt_none; there are: bindrt_");
  expect(message_of(name, {.grid_x = 0}, Misuse::kNone), "grid_x is 0, must be 1 to");
  expect(message_of(name, {.grid_z = 65536}, Misuse::kNone), "grid_z is 65536, must be 1 to 65535");
  expect(message_of(name, {.block_x = 64, .block_y = 17}, Misuse::kNone), "must be 1 to 1024");
  expect(message_of(name, {.shared_bytes = 50000}, Misuse::kNone), "more than 48 KiB");
  SimQueue queue;
  std::string message;
  try {
    queue.launch(name, {}, 1.0);
  } catch (const Failure& failure) {
    message = failure.what();
  }
  expect(message, "takes parameters of 16 bytes, not 8");
  int host = 0;
  message.clear();
  try {
    queue.upload(&host, &host, sizeof(host));
  } catch (const Failure& failure) {
    message = failure.what();
  }
  expect(message, "4 bytes that are not in one device allocation");
}

#if defined(BINDRT_CUDASIM_RACE)
void test_conflicts() {
  const auto report = [](Conflict conflict) -> std::string {
    SimQueue queue;
    const DeviceArray<std::int32_t> out(64);
    try {
      queue.launch("bindrt_simulator_conflict", {.grid_x = 2, .block_x = 64},
                   ConflictParams{out.data(), conflict});
      out.download();
    } catch (const Failure& failure) {
      return failure.what();
    }
    return "nothing was reported";
  };
  expect(report(Conflict::kNone), "nothing was reported");
  expect(report(Conflict::kWriteThenRead), "race: a ");  // which comes first depends on the order
  expect(report(Conflict::kReadThenWrite), "race: a ");
  expect(report(Conflict::kTwoWrites), "race: two writes without a barrier between");
  expect(report(Conflict::kTwoBlocks), "race: two writes without a barrier between, at byte ");
  expect(report(Conflict::kAtomicThenRead), "race: a ");
  expect(report(Conflict::kAcrossShuffle), "race: a ");
  expect(report(Conflict::kAcrossWarpSync), "nothing was reported");
  expect(report(Conflict::kAcrossWarps), "race: a ");
  expect(report(Conflict::kUnwrittenShared), "read of memory that nothing wrote");
  expect(report(Conflict::kUnwrittenInTemplate), "read of memory that nothing wrote");
  expect(report(Conflict::kUnwrittenGlobal), "of a device allocation of 256");
}
#endif

// A pointer that was never uploaded: another program's memory, on a GPU.
void test_host_pointer() {
  std::vector<std::int32_t> host(64, 0);
  SimQueue queue;
  std::string message = "nothing was reported";
  try {
    queue.launch("bindrt_simulator_early_return", {.block_x = 32}, Params{host.data(), Misuse::kNone});
  } catch (const Failure& failure) {
    message = failure.what();
  }
#if defined(BINDRT_CUDASIM_RACE)
  expect(message, "an access to memory that is not the device's");
#else
  expect(message, "nothing was reported");  // its threads look no different from any other code's
#endif
}

// A fake driver's streams launch from threads of their own.
void test_threads() {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([] {
      test_block();
      test_atomics();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

void test_options() {
  const Options parsed = parse_options("order=reverse,seed=9,poison=0x5a,switch=4");
  CHECK(parsed.order == Order::kReverse && parsed.seed == 9 && parsed.poison == 0x5A &&
        parsed.switch_every == 4);
  for (const char* const wrong : {"order=up", "order", "seed=x", "poison=256", "color=1"}) {
    bool refused = false;
    try {
      parse_options(wrong);
    } catch (const std::invalid_argument&) {
      refused = true;
    }
    CHECK(refused);
  }
}

}  // namespace

int main() {
  test_warp();
  test_early_return();
  test_block();
  test_atomics();
  test_misuse();
  test_launches();
#if defined(BINDRT_CUDASIM_RACE)
  test_conflicts();
#endif
  test_host_pointer();
  test_threads();
  test_options();
  return bindrt::testing::finish();
}
