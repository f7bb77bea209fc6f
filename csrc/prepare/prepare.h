// Preparing ordinary items without the interpreter: a path, bytes or an array is read, recognised, decoded,
// preprocessed and written into its slot by a thread that does not hold the interpreter's lock.
//
// What is unusual is left to Python: a rare format, damage, a limit that is met, an odd option, anything with
// an error. Python then prepares the item from its start, so that errors and limits have one home.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace bindrt::prepare {

struct Path {
  std::string name;  // as the file system takes it
};

// The memory of Bytes and Array belongs to the submitter, and stays until the request is delivered.
struct Bytes {
  const std::byte* data = nullptr;
  std::size_t size = 0;
};

struct Array {
  enum class Kind { kFloat, kInt, kUint };
  const void* data = nullptr;  // contiguous, the last axis fastest, in the machine's byte order
  Kind kind = Kind::kFloat;
  int bits = 32;
  std::vector<std::int64_t> shape;
};

using Value = std::variant<bool, std::int64_t, double, std::string>;

struct Item {
  std::variant<Path, Bytes, Array> source;
  std::map<std::string, Value> options;  // the wrapper's fields that the caller set, for example "rate"
};

// What an item may decode to; the runtime's `Limits`, as far as it is needed here.
struct Limits {
  std::int64_t max_bytes = 0;
  std::int64_t max_pixels = 0;
  double max_seconds = 0;
};

// Rows of a batch. They are reserved once, when the number of views is known.
class Slots {
 public:
  virtual ~Slots() = default;
  virtual float* reserve(std::int64_t views) = 0;  // [views, view] of the encoder's input
};

struct Prepared {
  std::vector<std::pair<std::string, Value>> notes;  // the same that Python would make
  std::vector<float> weights;                        // of its views in the mean; empty: all equal
};

// nullopt: left to Python. What was reserved by then is reused or given back by the caller.
using Preparer = std::optional<Prepared> (*)(const Item& item, const Limits& limits, Slots& slots);

}  // namespace bindrt::prepare
