// Finds accesses of two threads to one byte without a barrier between them.
#include "tests/cudasim/race.h"

#if defined(BINDRT_CUDASIM_RACE)

#include <link.h>
#include <sys/mman.h>

#include <algorithm>
#include <map>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "tests/cudasim/failure.h"
#include "tests/cudasim/options.h"
#include "tests/cudasim/scheduler.h"

namespace bindrt::cudasim::race {
namespace {

// One access to a byte; when its thread did it, in barriers of the block and syncs of the warp.
struct Access {
  std::uint32_t thread;
  std::uint32_t barriers;
  std::uint32_t warp_syncs : 30;
  std::uint32_t atomic : 1;
  std::uint32_t used : 1;
  std::uint32_t code;  // address, from the program's start
};

// A byte's history. Two readers are kept: the check can miss a race among more, but invents none.
struct Cell {
  std::uint32_t period;  // the launch, or the block, that what follows belongs to
  bool written;
  Access writer;
  Access readers[2];
};

struct Unmap {
  std::size_t bytes;
  void operator()(Cell* cells) const { munmap(cells, bytes); }
};

struct Region {
  std::uintptr_t begin;
  std::size_t bytes;
  bool shared;
  std::unique_ptr<Cell[], Unmap> cells;  // zero pages, until used
};

struct Range {
  std::uintptr_t begin;
  std::uintptr_t end;
};

std::map<std::uintptr_t, Region> regions;
Region* last = nullptr;  // that was found
std::uint32_t period = 0;
std::uint32_t launch_period = 0;
std::uint32_t block_period = 0;
std::vector<Range> program;  // what the program itself loads: constants, indices
std::uintptr_t program_start = 0;
std::uintptr_t thread_local_memory = 0;  // that is watched
Random random_switch{1};

void watch(std::uintptr_t begin, std::size_t bytes, bool shared) {
  if (begin == 0 || bytes == 0) {
    return;
  }
  const std::size_t size = bytes * sizeof(Cell);
  void* const cells =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (cells == MAP_FAILED) {
    throw std::bad_alloc();
  }
  regions.insert_or_assign(
      begin,
      Region{begin, bytes, shared, std::unique_ptr<Cell[], Unmap>(static_cast<Cell*>(cells), Unmap{size})});
  last = nullptr;
}

Region* find(std::uintptr_t address) {
  if (last != nullptr && address - last->begin < last->bytes) {
    return last;
  }
  auto after = regions.upper_bound(address);
  if (after == regions.begin()) {
    return nullptr;
  }
  Region& region = (--after)->second;
  if (address - region.begin >= region.bytes) {
    return nullptr;
  }
  return last = &region;
}

// The history as of now: what an earlier launch did is over, what an earlier block had in shared memory is
// gone.
Cell& cell_at(Region& region, std::size_t place) {
  Cell& cell = region.cells[place];
  if (cell.period < (region.shared ? block_period : launch_period)) {
    const bool written = cell.written && !region.shared;
    cell = Cell{};
    cell.written = written;
    cell.period = period;
  }
  return cell;
}

// Is `earlier` over, for the thread that runs now?
bool ordered(const Access& earlier, const Moment& now) {
  if (earlier.thread == now.thread) {
    return true;
  }
  const std::uint32_t block = earlier.thread / now.block_threads;
  if (block != now.thread / now.block_threads) {
    return false;  // blocks of a launch are never ordered
  }
  if (earlier.barriers < now.barriers) {
    return true;
  }
  const std::uint32_t first = block * now.block_threads;
  return (earlier.thread - first) / 32 == (now.thread - first) / 32 && earlier.warp_syncs < now.warp_syncs;
}

std::string place_of(const Region& region, std::uintptr_t address) {
  return "byte " + std::to_string(address - region.begin) + " of " +
         (region.shared ? "shared memory of " : "a device allocation of ") + std::to_string(region.bytes);
}

const void* code_of(const Access& access) {
  return reinterpret_cast<const void*>(program_start + access.code);
}

[[noreturn]] void report(const Region& region, std::uintptr_t address, const Access& earlier,
                         const Access& mine, const char* kinds, std::uint32_t block_threads) {
  fail(std::string("race: ") + kinds + " without a barrier between, at " + place_of(region, address) +
       "\n  " + thread_name(earlier.thread, block_threads) + " at " + text(code_of(earlier)) + "\n  " +
       thread_name(mine.thread, block_threads) + " at " + text(code_of(mine)));
}

void keep_reader(Cell& cell, const Access& mine, const Moment& now) {
  for (Access& reader : cell.readers) {
    if (reader.used == 0 || reader.thread == mine.thread || ordered(reader, now)) {
      reader = mine;
      return;
    }
  }
  cell.readers[1] = mine;
}

void check(const Region& region, Cell& cell, std::uintptr_t address, const Access& mine, const Moment& now,
           bool write) {
  const bool both_atomic = cell.writer.atomic != 0 && mine.atomic != 0;
  if (cell.writer.used != 0 && !both_atomic && !ordered(cell.writer, now)) {
    report(region, address, cell.writer, mine, write ? "two writes" : "a write, then a read",
           now.block_threads);
  }
  if (!write) {
    keep_reader(cell, mine, now);
    return;
  }
  for (Access& reader : cell.readers) {
    if (reader.used != 0 && !ordered(reader, now)) {
      report(region, address, reader, mine, "a read, then a write", now.block_threads);
    }
    reader = Access{};
  }
  cell.writer = mine;
  cell.written = true;
}

[[noreturn]] void report_outside(std::uintptr_t address, const Moment& now, const void* code) {
  fail("an access to memory that is not the device's (the host's, or outside an allocation), by " +
       thread_name(now.thread, now.block_threads) + " at " + text(code) + ", address " +
       std::to_string(address));
}

bool in_program(std::uintptr_t address) {
  return std::any_of(program.begin(), program.end(),
                     [&](const Range& range) { return address >= range.begin && address < range.end; });
}

// Finds the program's own memory, and this thread's thread-local memory: the kernels' shared memory.
int note_program(dl_phdr_info* info, std::size_t, void* found) {
  const auto own = reinterpret_cast<std::uintptr_t>(&regions);
  std::vector<Range> ranges;
  Range locals{0, 0};
  for (int index = 0; index < info->dlpi_phnum; ++index) {
    const auto& header = info->dlpi_phdr[index];
    if (header.p_type == PT_LOAD) {
      ranges.push_back({info->dlpi_addr + header.p_vaddr, info->dlpi_addr + header.p_vaddr + header.p_memsz});
    } else if (header.p_type == PT_TLS) {
      const auto begin = reinterpret_cast<std::uintptr_t>(info->dlpi_tls_data);
      locals = {begin, begin == 0 ? 0 : begin + header.p_memsz};
    }
  }
  program = ranges;
  if (!in_program(own)) {
    return 0;
  }
  program_start = ranges.front().begin;
  *static_cast<Range*>(found) = locals;
  return 1;
}

}  // namespace

void watch_global(const void* begin, std::size_t bytes) {
  watch(reinterpret_cast<std::uintptr_t>(begin), bytes, false);
}

void watch_shared(const void* begin, std::size_t bytes) {
  watch(reinterpret_cast<std::uintptr_t>(begin), bytes, true);
}

void unwatch(const void* begin) {
  regions.erase(reinterpret_cast<std::uintptr_t>(begin));
  last = nullptr;
}

void written(const void* begin, std::size_t bytes) {
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  for (std::size_t place = 0; place < bytes; ++place) {
    if (Region* const region = find(address + place)) {
      region->cells[address + place - region->begin].written = true;
    }
  }
}

std::size_t first_unwritten(const void* begin, std::size_t bytes) {
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  for (std::size_t place = 0; place < bytes; ++place) {
    const Region* const region = find(address + place);
    if (region == nullptr || !region->cells[address + place - region->begin].written) {
      return place;
    }
  }
  return bytes;
}

void begin_launch() {
  Range locals{0, 0};
  dl_iterate_phdr(&note_program, &locals);
  if (locals.begin != thread_local_memory) {  // another thread launches
    unwatch(reinterpret_cast<const void*>(thread_local_memory));
    watch(locals.begin, locals.end - locals.begin, true);
    thread_local_memory = locals.begin;
  }
  launch_period = ++period;
  random_switch = Random(options().seed + period);
}

void begin_block() { block_period = ++period; }

void access(const void* where, std::size_t bytes, bool write, bool atomic, const void* code) {
  if (!in_kernel()) {
    return;
  }
  const auto address = reinterpret_cast<std::uintptr_t>(where);
  Region* const region = find(address);
  if (region == nullptr) {
    if (!on_own_stack(where) && !in_program(address)) {
      report_outside(address, moment(), code);
    }
    return;
  }
  if (options().switch_every != 0 && random_switch.below(options().switch_every) == 0) {
    interrupt();
  }
  const Moment now = moment();
  const std::size_t first = address - region->begin;
  if (bytes > region->bytes - first) {
    report_outside(address, now, code);
  }
  const Access mine{now.thread,
                    now.barriers,
                    now.warp_syncs & 0x3FFFFFFFU,
                    atomic ? 1U : 0U,
                    1U,
                    static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(code) - program_start)};
  for (std::size_t place = first; place < first + bytes; ++place) {
    Cell& cell = cell_at(*region, place);
    if (!cell.written && (!write || atomic)) {
      fail("read of memory that nothing wrote, " + place_of(*region, region->begin + place) + ", by " +
           thread_name(now.thread, now.block_threads) + " at " + text(code));
    }
    check(*region, cell, region->begin + place, mine, now, write);
  }
}

}  // namespace bindrt::cudasim::race

#endif
