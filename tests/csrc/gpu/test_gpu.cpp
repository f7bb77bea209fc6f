// csrc/gpu against a driver, whose path is the program's argument: the simulated one, or a real one. What
// only the simulated one has is checked there alone: its numbers, its names of errors, and work that has
// surely not begun.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "csrc/gpu/queue.h"
#include "tests/cpp/check.h"
#include "tests/csrc/gpu/errors.h"
#include "tests/csrc/gpu/kept_memory.h"
#include "tests/csrc/gpu/kernel_set.h"
#include "tests/cudasim/example_params.h"

namespace bindrt::gpu {
namespace {

namespace example = cudasim::example;

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

// Sums rows of `width` numbers on the device.
std::vector<float> sum_rows(StreamQueue& queue, const std::vector<float>& values, std::int32_t width) {
  const auto rows = values.size() / static_cast<std::size_t>(width);
  auto* const input = static_cast<float*>(queue.scratch(values.size() * sizeof(float)));
  auto* const sums = static_cast<float*>(queue.scratch(rows * sizeof(float)));
  queue.upload(input, values.data(), values.size() * sizeof(float));
  kernels::LaunchShape shape;
  shape.grid_x = static_cast<std::uint32_t>(rows);
  shape.block_x = 64;
  queue.launch("bindrt_example_sum_rows", shape, example::SumRowsParams{input, sums, width});
  std::vector<float> got(rows);
  queue.download(got.data(), sums, rows * sizeof(float));
  queue.wait();
  queue.rewind();
  return got;
}

void test_no_driver() {
  const Driver absent("libbindrt_no_such_driver.so.1");
  CHECK(!absent.usable());
  CHECK(has(absent.problem(), "libbindrt_no_such_driver.so.1: cannot open"));
  CHECK(absent.device_count() == 0);
  CHECK(has(error_of([&] { device_info(absent, 0); }), "no GPU"));
  CHECK(has(error_of([&] { Context(absent, 0, kernel_set()); }), "no GPU"));
  const Driver other("libm.so.6");
  CHECK(!other.usable());
  CHECK(has(other.problem(), "lacks cuInit"));
}

void test_what_counts_as_lost() {
  for (const cu::Result code : {214, 220, 226, 700, 702, 710, 714, 715, 716, 717, 718, 719, 721, 911, 999}) {
    CHECK(is_context_lost(code));
  }
  for (const cu::Result code : {0, 1, 2, 3, 200, 209, 218, 222, 400, 500, 600, 701, 720, 801, 900, 910}) {
    CHECK(!is_context_lost(code));
  }
}

void test_devices(const Driver& driver) {
  CHECK(driver.usable());
  CHECK(driver.device_count() > 0);
  CHECK(has(error_of([&] { device_info(driver, -1); }), "there is no GPU -1"));
  if (driver.simulated()) {
    CHECK(driver.device_count() == 2);
    const DeviceInfo info = device_info(driver, 1);
    CHECK(info.capability == 89);
    CHECK(info.memory == std::size_t{256} << 20);
    CHECK(info.bandwidth == 0.0);
    CHECK(has(error_of([&] { device_info(driver, 2); }), "there is no GPU 2; this machine has 2"));
  }
}

void test_round_trip(Context& context) {
  StreamQueue queue(context);
  for (const std::size_t count : {std::size_t{1}, std::size_t{1000}, std::size_t{1} << 20}) {
    std::vector<float> source = numbers(count);
    void* const device = queue.scratch(count * sizeof(float));
    CHECK(reinterpret_cast<std::uintptr_t>(device) % 256 == 0);
    queue.upload(device, source.data(), count * sizeof(float));
    source.assign(count, -1.0F);  // the copy no longer needs it
    std::vector<float> got(count);
    queue.download(got.data(), device, count * sizeof(float));
    queue.wait();
    CHECK(got == numbers(count));
    queue.rewind();
  }
  CHECK(queue.scratch(0) == nullptr);
  queue.upload(nullptr, nullptr, 0);
  queue.download(nullptr, nullptr, 0);
  queue.wait();
}

void test_launches(Context& context) {
  StreamQueue queue(context);
  const std::vector<float> got = sum_rows(queue, numbers(35), 7);
  CHECK(got == (std::vector<float>{28, 77, 126, 175, 224}));
  // Several in a row without waiting: each uses what the one before wrote.
  auto* const first = static_cast<float*>(queue.scratch(64 * sizeof(float)));
  queue.upload(first, numbers(64).data(), 64 * sizeof(float));
  auto* const second = static_cast<float*>(queue.scratch(8 * sizeof(float)));
  auto* const third = static_cast<float*>(queue.scratch(sizeof(float)));
  kernels::LaunchShape shape;
  shape.block_x = 32;
  shape.grid_x = 8;
  queue.launch("bindrt_example_sum_rows", shape, example::SumRowsParams{first, second, 8});
  shape.grid_x = 1;
  queue.launch("bindrt_example_sum_rows", shape, example::SumRowsParams{second, third, 8});
  float sum = 0.0F;
  queue.download(&sum, third, sizeof(float));
  queue.wait();
  CHECK(sum == 64.0F * 65.0F / 2.0F);
}

void test_launch_errors(Context& context) {
  StreamQueue queue(context);
  const example::SumRowsParams params{nullptr, nullptr, 0};
  kernels::LaunchShape shape;
  const auto launch = [&](const char* kernel) {
    return error_of([&] { queue.launch(kernel, shape, params); });
  };
  CHECK(has(launch("bindrt_nowhere"), "no kernel bindrt_nowhere"));
  CHECK(has(launch("bindrt_missing"), "looking for bindrt_missing: CUDA_ERROR_NOT_FOUND"));
  CHECK(has(launch("bindrt_broken"), "loading the kernels of broken for compute_75"));
  if (context.driver().simulated()) {
    CHECK(has(launch("bindrt_unknown_kernel"), "CUDA_ERROR_NOT_FOUND"));
    CHECK(has(launch("bindrt_broken"), "neither a cubin nor PTX"));
    CHECK(has(launch("bindrt_broken"), "CUDA_ERROR_INVALID_IMAGE"));
  }
  CHECK(has(launch("bindrt_future"), "for which this build has no kernels"));
  shape.block_x = 2048;
  CHECK(has(launch("bindrt_example_sum_rows"), "block (2048, 1, 1)"));
  shape.block_x = 32;
  shape.shared_bytes = 1 << 20;
  CHECK(has(launch("bindrt_example_sum_rows"), "1048576 bytes of dynamic shared memory"));
  shape.shared_bytes = 0;
  CHECK(has(error_of([&] { queue.launch("bindrt_example_sum_rows", shape, std::int32_t{1}); }),
            "takes 24 bytes of parameters, not 4"));
  // None of these was the device's fault.
  CHECK(sum_rows(queue, numbers(4), 2) == (std::vector<float>{3, 7}));
}

void test_memory(Context& context) {
  const std::size_t before = context.memory_free();
  {
    const DeviceMemory memory(context, std::size_t{1} << 20);
    CHECK(!context.driver().simulated() || context.memory_free() == before - (std::size_t{1} << 20));
    DeviceMemory moved = DeviceMemory(context, 256);
    moved = DeviceMemory(context, 512);
    CHECK(moved.bytes() == 512);
  }
  const bool simulated = context.driver().simulated();
  CHECK(!simulated || context.memory_free() == before);
  const std::size_t more = before + (std::size_t{1} << 20);
  const std::string message = error_of([&] { const DeviceMemory all(context, more); });
  if (simulated) {
    CHECK(has(message, "allocating 257.0 MiB on simulated device 0, of which 256.0 MiB are free"));
  }
  CHECK(has(message, "CUDA_ERROR_OUT_OF_MEMORY"));
  StreamQueue queue(context);
  try {
    queue.scratch(static_cast<std::size_t>(-1));
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.code() == 0);
  }
  try {
    queue.scratch(more);
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.out_of_memory());
    CHECK(error.name() == "CUDA_ERROR_OUT_OF_MEMORY");
  }
  if (simulated) {
    queue.scratch(std::size_t{140} << 20);
    queue.scratch(std::size_t{100} << 20);  // doubling would not fit
    CHECK(queue.scratch_bytes() <= std::size_t{256} << 20);
  }
}

void test_scratch_is_kept(Context& context) {
  StreamQueue queue(context);
  const auto use = [&queue] {
    for (int piece = 0; piece < 3; ++piece) {
      queue.fill(queue.scratch(std::size_t{1} << 20), 0, std::size_t{1} << 20);
    }
    queue.rewind();
  };
  use();
  const std::size_t held = queue.scratch_bytes();
  CHECK(held >= std::size_t{3} << 20);
  for (int round = 0; round < 10; ++round) {
    use();
  }
  queue.wait();
  CHECK(queue.scratch_bytes() == held);
  void* const input = queue.scratch(256);
  const Arena::Mark inputs = queue.mark();
  void* const first = queue.scratch(512);
  queue.rewind_to(inputs);
  CHECK(queue.scratch(512) == first);
  queue.fill(input, 7, 256);
  queue.fill(queue.scratch(held), 0, held);  // a block of its own
  queue.rewind_to(inputs);
  queue.fill(queue.scratch(held), 1, held);
  unsigned char kept = 0;
  queue.download(&kept, input, 1);
  queue.wait();
  CHECK(kept == 7);
}

void test_events(Context& context) {
  StreamQueue writer(context);
  StreamQueue reader(context);
  for (int round = 0; round < 20; ++round) {
    // Without the event the simulated driver would let the reader go first, half of the time.
    const std::vector<float> values = numbers(256);
    void* const shared = writer.scratch(1024);
    writer.upload(shared, values.data(), 1024);
    Event written(context);
    written.record(writer.stream());
    reader.stream().wait_for(written);
    std::vector<float> got(256);
    reader.download(got.data(), shared, 1024);
    reader.wait();
    CHECK(written.passed());
    CHECK(got == values);
  }
  CHECK(Event(context).passed());  // never recorded
  Event timed(context, Event::Timing::kOn);
  Event later(context, Event::Timing::kOn);
  timed.record(writer.stream());
  later.record(writer.stream());
  later.wait();
  if (context.driver().simulated()) {
    CHECK(has(error_of([&] { later.milliseconds_since(timed); }), "CUDA_ERROR_NOT_SUPPORTED"));
  } else {
    CHECK(later.milliseconds_since(timed) >= 0.0F);
  }
  CHECK(writer.stream().idle());
}

void test_uploads_do_not_wait(Context& context) {
  StreamQueue queue(context);
  constexpr std::size_t kBytes = std::size_t{5} << 20;                // more than a chunk
  constexpr std::size_t kUploads = Staging::kMostBytes / kBytes + 3;  // more than may be on their way
  std::vector<unsigned char> source(kBytes);
  std::vector<void*> copies;
  for (std::size_t upload = 0; upload < kUploads; ++upload) {
    source.assign(kBytes, static_cast<unsigned char>(upload));
    copies.push_back(queue.scratch(kBytes));
    queue.upload(copies.back(), source.data(), kBytes);
    CHECK(upload > 4 || !context.driver().simulated() || !queue.stream().idle());
  }
  for (std::size_t upload = 0; upload < kUploads; ++upload) {
    queue.download(source.data(), copies[upload], kBytes);
    queue.wait();
    CHECK(source == std::vector<unsigned char>(kBytes, static_cast<unsigned char>(upload)));
  }
}

// Memory is freed only when the work that uses it is done: the simulated driver frees at once.
void test_end_of_a_queue(Context& context) {
  {
    StreamQueue queue(context);
    queue.fill(queue.scratch(1000), 1, 1000);
    queue.upload(queue.scratch(8), "a few", 6);
  }
  context.synchronize();
  CHECK(true);  // no work met memory that was gone
}

void test_two_contexts(const Driver& driver, Context& first) {
  Context second(driver, 1, kernel_set());
  StreamQueue on_first(first);
  StreamQueue on_second(second);
  CHECK(sum_rows(on_second, numbers(4), 4) == std::vector<float>{10});
  CHECK(sum_rows(on_first, numbers(2), 2) == std::vector<float>{3});
  const std::size_t free_on_first = first.memory_free();
  const DeviceMemory memory(second, std::size_t{4} << 20);
  CHECK(first.memory_free() == free_on_first);
  // A thread's own current context is left as it was.
  const Context::Current mine(first);
  CHECK(sum_rows(on_second, numbers(2), 1) == (std::vector<float>{1, 2}));
  CHECK(first.memory_free() == free_on_first);
}

void test_threads(Context& context) {
  std::vector<std::thread> threads;
  std::array<bool, 4> good{};
  for (std::size_t index = 0; index < good.size(); ++index) {
    threads.emplace_back([&context, &good, index] {
      bool all = true;
      for (int round = 0; round < 20; ++round) {
        StreamQueue queue(context);
        all = all && sum_rows(queue, numbers(6), 3) == std::vector<float>{6, 15};
      }
      good[index] = all;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(good == (std::array<bool, 4>{true, true, true, true}));
}

void test_fork(Context& context) {
  const pid_t child = fork();
  if (child == 0) {
    const bool good = has(error_of([&] { const DeviceMemory memory(context, 16); }), "forked") &&
                      has(error_of([&] { StreamQueue queue(context); }), "forked");
    _exit(good ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  StreamQueue queue(context);
  CHECK(sum_rows(queue, numbers(2), 2) == std::vector<float>{3});
}

// Last: nothing works after it.
void test_lost_context(Context& context) {
  StreamQueue queue(context);
  float number = 0.0F;
  auto* const sums = static_cast<float*>(queue.scratch(sizeof(float)));
  kernels::LaunchShape shape;
  shape.block_x = 32;
  if (context.driver().simulated()) {
    queue.launch("bindrt_example_sum_rows", shape, example::SumRowsParams{&number, sums, 0});
    queue.upload(sums + queue.scratch_bytes() / sizeof(float), &number, sizeof(float));  // beyond its end
  } else {
    const auto* const nowhere = reinterpret_cast<const float*>(std::uintptr_t{64});
    queue.launch("bindrt_example_sum_rows", shape, example::SumRowsParams{nowhere, sums, 1});
  }
  try {
    queue.wait();
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.context_lost());
    CHECK(has(error.what(), "must be started anew"));
  }
  CHECK(has(error_of([&] { StreamQueue another(context); }), "must be started anew"));
}

int run(const char* path) {
  setenv("BINDRT_CUDASIM_DEVICE", "count=2,capability=89,memory=256,cuda=124,ptx=84,pinned=160", 0);
  test_no_driver();
  test_what_counts_as_lost();
  const Driver driver(path);
  if (!driver.usable()) {
    std::fprintf(stderr, "%s\n", driver.problem().c_str());
    return 1;
  }
  test_devices(driver);
  {
    Context context(driver, 0, kernel_set());
    test_round_trip(context);
    test_pinned_memory_is_used_again(context);
    test_tables_are_copied_once(context);
    test_a_table_that_fails_is_forgotten(context);
    test_launches(context);
    test_launch_errors(context);
    test_memory(context);
    test_scratch_is_kept(context);
    test_events(context);
    test_uploads_do_not_wait(context);
    test_end_of_a_queue(context);
    if (driver.device_count() > 1) {
      test_two_contexts(driver, context);
    }
    test_threads(context);
    test_fork(context);
  }
  {
    Context context(driver, 0, kernel_set());
    test_lost_context(context);
  }
  return testing::finish();
}

}  // namespace
}  // namespace bindrt::gpu

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: test_gpu LIBCUDA\n");
    return 2;
  }
  return bindrt::gpu::run(arguments[1]);
}
