// Makes rows of a video's frames while it is decoded.
#include "csrc/gpu/film_decoder.h"

#include <exception>
#include <utility>

#include "csrc/gpu/lent_rows.h"
#include "kernels/video/video_gpu.h"

namespace bindrt::gpu {

// A video's place among those that are decoded at once, and its stream. What was taken is given back also
// after a failure, since others wait for it.
class FilmDecoder::Place {
 public:
  Place(FilmDecoder& of, std::size_t frame_bytes) noexcept : of_(of), frame_bytes_(frame_bytes) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (taken_) {
      of_.give_back(frame_bytes_, std::move(queue_));
    }
  }

  // False: none is free. What it throws is the driver's.
  bool open() {
    taken_ = of_.take(frame_bytes_);
    if (!taken_) {
      return false;
    }
    queue_ = of_.idle_queue();
    if (queue_ == nullptr) {
      queue_ = std::make_unique<StreamQueue>(of_.context_, kQueue);
    }
    queue_->rewind();
    return true;
  }
  StreamQueue& queue() const noexcept { return *queue_; }

 private:
  FilmDecoder& of_;
  const std::size_t frame_bytes_;
  bool taken_ = false;
  std::unique_ptr<StreamQueue> queue_;
};

class FilmDecoder::Film final : public kernels::DeviceFilm {
 public:
  Film(FilmDecoder& of, std::size_t frame_bytes, std::int64_t rows) noexcept
      : of_(of), place_(of, frame_bytes), rows_(rows) {}
  ~Film() override {
    if (memory_ != nullptr) {
      Film::wait();
    }
  }

  // False: no place is free, or there is no memory for its rows. What it throws is the driver's.
  bool open() {
    if (place_.open()) {
      memory_ = of_.rows_->take(static_cast<std::size_t>(rows_) * of_.row_bytes_);
    }
    return memory_ != nullptr;
  }

  void* context() const noexcept override { return of_.context_.handle(); }
  void* stream() const noexcept override { return place_.queue().stream().handle(); }

  bool add(const kernels::CropRequest& request) noexcept override {
    try {
      kernels::CropRequest to_rows = request;
      to_rows.out = memory_.get();
      kernels::video_crops_gpu(place_.queue(), &to_rows, 1);
    } catch (const std::exception&) {
      good_ = false;
    }
    return good_;
  }

  bool wait() noexcept override {
    try {
      place_.queue().wait();
    } catch (const std::exception&) {  // the engine, which runs next, meets what is wrong with the GPU
      good_ = false;
    }
    return good_;
  }

  std::shared_ptr<const kernels::Decoded> views() override {
    const RowLayout layout{.rows = rows_, .part_bytes = static_cast<std::int64_t>(of_.row_bytes_)};
    auto lent =
        std::make_shared<const LentMemory>(of_.context_, reinterpret_cast<cu::Pointer>(memory_.get()),
                                           static_cast<std::size_t>(layout.bytes()), nullptr, memory_);
    return std::make_shared<const LentRows>(std::move(lent), layout);
  }

 private:
  FilmDecoder& of_;
  Place place_;  // outlives the memory, whose next owner must find none of our work
  std::shared_ptr<std::byte> memory_;
  const std::int64_t rows_;
  bool good_ = true;
};

FilmDecoder::FilmDecoder(Context& context, std::size_t row_bytes, const FilmOptions& options,
                         std::size_t most_rows)
    : context_(context),
      row_bytes_(row_bytes),
      options_(options),
      rows_(std::make_shared<DevicePool>(context, most_rows)) {
  idle_.reserve(kMostFilms);  // to give one back needs no memory
}

std::unique_ptr<kernels::DeviceFilm> FilmDecoder::film(const kernels::FilmSize& size) {
  const auto frame_bytes = static_cast<std::size_t>(size.frame_bytes);
  if (size.pixels < options_.from || frame_bytes > kMostFrames) {
    return nullptr;
  }
  try {
    auto film = std::make_unique<Film>(*this, frame_bytes, size.rows);
    if (film->open()) {
      return film;
    }
  } catch (const std::exception&) {  // of the driver; who decodes elsewhere meets it again
  }
  return nullptr;
}

// In the order that they come: else a large one would wait for as long as small ones come.
bool FilmDecoder::take(std::size_t frame_bytes) {
  std::unique_lock lock(mutex_);
  const auto is_free = [&] { return films_ < kMostFilms && frame_bytes_ + frame_bytes <= kMostFrames; };
  if (options_.waits) {
    const std::uint64_t mine = arrived_++;
    changed_.wait(lock, [&] { return turn_ == mine && is_free(); });
    ++turn_;
    changed_.notify_all();  // the next may have room too
  } else if (!is_free()) {
    return false;
  }
  ++films_;
  frame_bytes_ += frame_bytes;
  return true;
}

void FilmDecoder::give_back(std::size_t frame_bytes, std::unique_ptr<StreamQueue> queue) noexcept {
  const std::lock_guard lock(mutex_);
  --films_;
  frame_bytes_ -= frame_bytes;
  if (queue != nullptr) {
    idle_.push_back(std::move(queue));
  }
  changed_.notify_all();
}

std::unique_ptr<StreamQueue> FilmDecoder::idle_queue() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) {
    return nullptr;
  }
  std::unique_ptr<StreamQueue> queue = std::move(idle_.back());
  idle_.pop_back();
  return queue;
}

}  // namespace bindrt::gpu
