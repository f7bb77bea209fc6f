// Where threads of a block or a warp wait for each other.
#include "tests/cudasim/meeting.h"

#include "tests/cudasim/failure.h"

namespace bindrt::cudasim {
namespace {

std::string lane_at(unsigned lane, const Arrival& arrival) {
  return "lane " + std::to_string(lane) + " at " + name_of(arrival.op) + ", " + text(arrival.where);
}

// The first two lanes that do not do the same thing.
std::string difference(const Arrivals& lanes, unsigned present) {
  const unsigned first = static_cast<unsigned>(std::countr_zero(present));
  const Arrival& one = *lanes[first];
  for (unsigned lane = first; lane < kLanes; ++lane) {
    if ((present >> lane & 1U) == 0) {
      continue;
    }
    const Arrival& other = *lanes[lane];
    if (other.op != one.op || other.mask != one.mask || other.width != one.width) {
      return "lanes of a warp meet with different operations, masks or widths: " + lane_at(first, one) +
             "; " + lane_at(lane, other);
    }
  }
  return {};
}

// Which lane a shuffle reads: its own where the distance leads out of the segment.
int source_of(const Arrival& arrival, int lane) {
  const int begin = lane & ~(arrival.width - 1);
  switch (arrival.op) {
    case WarpOp::kShuffle:
      return begin + (arrival.operand & (arrival.width - 1));
    case WarpOp::kShuffleUp:
      return lane - arrival.operand < begin ? lane : lane - arrival.operand;
    case WarpOp::kShuffleDown:
      return lane + arrival.operand >= begin + arrival.width ? lane : lane + arrival.operand;
    default: {  // exclusive or: may read earlier segments, not later ones
      const int source = lane ^ arrival.operand;
      return source >= begin + arrival.width ? lane : source;
    }
  }
}

std::string shuffle_all(const Arrivals& lanes, unsigned present) {
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if ((present >> lane & 1U) == 0) {
      continue;
    }
    Arrival& arrival = *lanes[lane];
    if (arrival.width < 1 || arrival.width > 32 || (arrival.width & (arrival.width - 1)) != 0) {
      return "a shuffle's width is a power of two up to 32, not " + std::to_string(arrival.width) + ": " +
             lane_at(lane, arrival);
    }
    const int source = source_of(arrival, static_cast<int>(lane));
    if (source < 0 || source >= static_cast<int>(kLanes) || (present >> source & 1U) == 0) {
      return "a shuffle reads lane " + std::to_string(source) +
             ", which does not take part: " + lane_at(lane, arrival);
    }
    arrival.result = lanes[static_cast<unsigned>(source)]->value;
  }
  return {};
}

// The lanes whose value `wanted` accepts.
template <class Wanted>
unsigned lanes_with(const Arrivals& lanes, unsigned present, Wanted wanted) {
  unsigned found = 0;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if ((present >> lane & 1U) != 0 && wanted(lanes[lane]->value)) {
      found |= 1U << lane;
    }
  }
  return found;
}

std::uint64_t vote(const Arrivals& lanes, unsigned present, const Arrival& mine) {
  const unsigned yes = lanes_with(lanes, present, [](std::uint64_t value) { return value != 0; });
  switch (mine.op) {
    case WarpOp::kBallot:
      return yes;
    case WarpOp::kAll:
      return yes == present;
    case WarpOp::kAny:
      return yes != 0;
    case WarpOp::kMatchAny:
      return lanes_with(lanes, present, [&](std::uint64_t value) { return value == mine.value; });
    default:
      return 0;
  }
}

}  // namespace

const char* name_of(WarpOp op) {
  switch (op) {
    case WarpOp::kSync:
      return "__syncwarp";
    case WarpOp::kShuffle:
      return "__shfl_sync";
    case WarpOp::kShuffleUp:
      return "__shfl_up_sync";
    case WarpOp::kShuffleDown:
      return "__shfl_down_sync";
    case WarpOp::kShuffleXor:
      return "__shfl_xor_sync";
    case WarpOp::kBallot:
      return "__ballot_sync";
    case WarpOp::kAll:
      return "__all_sync";
    case WarpOp::kAny:
      return "__any_sync";
    case WarpOp::kMatchAny:
      return "__match_any_sync";
  }
  return "?";
}

std::string complete(const Arrivals& lanes, unsigned present) {
  if (std::string different = difference(lanes, present); !different.empty()) {
    return different;
  }
  switch (lanes[static_cast<unsigned>(std::countr_zero(present))]->op) {
    case WarpOp::kShuffle:
    case WarpOp::kShuffleUp:
    case WarpOp::kShuffleDown:
    case WarpOp::kShuffleXor:
      return shuffle_all(lanes, present);
    default:
      break;
  }
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if ((present >> lane & 1U) != 0) {
      lanes[lane]->result = vote(lanes, present, *lanes[lane]);
    }
  }
  return {};
}

}  // namespace bindrt::cudasim
