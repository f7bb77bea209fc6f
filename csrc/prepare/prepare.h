// Preparing ordinary items without the interpreter: a path, bytes or an array is read, recognised, decoded,
// preprocessed and written into its slot by a thread that does not hold the interpreter's lock.
//
// What is unusual is left to Python: a rare format, damage, a limit that is met, an odd option, anything with
// an error. Python then prepares the item from its start, so that errors and limits have one home.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/base/decoded.h"
#include "kernels/base/lent.h"

namespace bindrt::prepare {

struct Path {
  std::string name;  // as the file system takes it
};

using LentPtr = std::shared_ptr<const kernels::Lent>;

// The memory of Bytes and Array belongs to the submitter, and stays until the request is delivered.
struct Bytes {
  const std::byte* data = nullptr;
  std::size_t size = 0;
};

struct Array {
  enum class Kind { kFloat, kInt, kUint };
  const void* data = nullptr;  // contiguous, the last axis fastest, aligned, in the machine's byte order
  Kind kind = Kind::kFloat;
  int bits = 32;
  std::vector<std::int64_t> shape;
  LentPtr lent =
      nullptr;  // `data` is an address of the device, which nobody reads here; null: it is the host's
};

using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<double>,
                           std::vector<std::vector<double>>>;

// The wrapper's fields that the caller set are options, for example "rate", or arrays, for example
// "timestamps".
struct Item {
  // Arrays: frames of a video that lie on a device one by one; those that nobody looks at have no numbers.
  std::variant<Path, Bytes, Array, std::vector<Array>> source;
  std::map<std::string, Value, std::less<>> options;
  std::map<std::string, Array, std::less<>> arrays;
};

// What an item may decode to; the runtime's `Limits`, as far as it is needed here.
struct Limits {
  std::int64_t max_bytes = 0;
  std::int64_t max_pixels = 0;
  double max_seconds = 0;
  std::int64_t max_scans = 0;          // of a JPEG
  std::int64_t max_picture_bytes = 0;  // that a picture's decoder may hold
  std::int64_t max_packets = 0;
  double max_pixels_per_byte = 0;
};

// Rows of a batch. They are reserved once, when the number of views is known.
class Slots {
 public:
  virtual ~Slots() = default;
  // [views, view] of the encoder's input. To be called late: the batch waits until the item is done.
  virtual float* reserve(std::int64_t views) = 0;
  // How many numbers a view has there: an image's more where the encoder expects it as several frames.
  virtual std::int64_t view_numbers() const = 0;  // after reserve
  // Whether a device may make views.
  virtual bool may_leave() const { return false; }
  // Memory for the bytes of a decoded item with so many views that a device is to make; null where there is
  // none: they are made here.
  virtual std::shared_ptr<std::byte> room(std::size_t /*bytes*/, std::int64_t /*views*/) { return nullptr; }
  // Whether a device may decode such a picture of so many pixels, and the picture of one view as it has
  // decoded it; null where it has not.
  virtual bool may_decode(kernels::PictureCoding /*coding*/, std::int64_t /*pixels*/) const { return false; }
  virtual std::shared_ptr<const kernels::Decoded> decode(const kernels::EncodedPicture& /*picture*/) {
    return nullptr;
  }
  // A place on a device for a video; null: it is decoded here.
  virtual std::unique_ptr<kernels::DeviceFilm> film(const kernels::FilmSize& /*size*/) { return nullptr; }
  // To be called for a video that was decoded there.
  virtual void count_film() {}
  // Whether a video that a device refuses may be decoded here; else it is left to Python, which says so. Both
  // are for people: what video it is, and why.
  virtual bool may_refuse(const std::string& /*video*/, const char* /*why*/) { return true; }
  // After reserve(), instead of writing there: the views are made of this later.
  virtual void leave(std::shared_ptr<const kernels::Decoded> /*item*/) {}
  // To be called for views that were made elsewhere and copied.
  virtual void count_copied(std::int64_t /*views*/) {}
  // Whether somebody still waits. Who takes long asks now and then, and leaves the item when nobody does.
  virtual bool wanted() const { return true; }
};

struct Prepared {
  std::vector<std::pair<std::string, Value>> notes;  // the same that Python would make
  std::vector<std::int64_t>
      index;  // which view each of the item's is; empty: each counts once, in their order

  // How much each of the views counts in the mean; empty: all alike.
  std::vector<float> weights() const;
};

// nullopt: left to Python. What was reserved by then is reused or given back by the caller.
using Preparer = std::optional<Prepared> (*)(const Item& item, const Limits& limits, Slots& slots);

}  // namespace bindrt::prepare
