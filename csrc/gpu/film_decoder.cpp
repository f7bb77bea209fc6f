// Makes rows of a video's frames while it is decoded.
#include "csrc/gpu/film_decoder.h"

#include <exception>
#include <utility>

#include "csrc/gpu/lent_rows.h"
#include "kernels/video/video_gpu.h"

namespace bindrt::gpu {

class FilmDecoder::Film final : public kernels::DeviceFilm {
 public:
  Film(FilmDecoder& of, std::unique_ptr<StreamQueue> queue, std::shared_ptr<std::byte> memory,
       std::int64_t rows) noexcept
      : of_(of), queue_(std::move(queue)), memory_(std::move(memory)), rows_(rows) {}
  ~Film() override {
    Film::wait();
    memory_ = nullptr;
    of_.give_back(std::move(queue_));
  }

  void* context() const noexcept override { return of_.context_.handle(); }
  void* stream() const noexcept override { return queue_->stream().handle(); }

  bool add(const kernels::CropRequest& request) noexcept override {
    try {
      kernels::CropRequest to_rows = request;
      to_rows.out = memory_.get();
      kernels::video_crops_gpu(*queue_, &to_rows, 1);
    } catch (const std::exception&) {
      good_ = false;
    }
    return good_;
  }

  bool wait() noexcept override {
    try {
      queue_->wait();
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
  std::unique_ptr<StreamQueue> queue_;
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

std::unique_ptr<kernels::DeviceFilm> FilmDecoder::film(std::int64_t pixels, std::int64_t rows) {
  if (pixels < options_.from) {
    return nullptr;
  }
  std::unique_ptr<StreamQueue> queue;
  try {
    queue = take_queue();
    if (queue != nullptr) {
      queue->rewind();
      if (auto memory = rows_->take(static_cast<std::size_t>(rows) * row_bytes_)) {
        return std::make_unique<Film>(*this, std::move(queue), std::move(memory), rows);
      }
    }
  } catch (const std::exception&) {  // of the driver; who decodes elsewhere meets it again
  }
  give_back(std::move(queue));  // also after a failure, since others wait for it
  return nullptr;
}

std::unique_ptr<StreamQueue> FilmDecoder::take_queue() {
  std::unique_lock lock(mutex_);
  while (idle_.empty() && made_ == kMostFilms) {
    if (!options_.waits) {
      return nullptr;
    }
    changed_.wait(lock);
  }
  if (idle_.empty()) {
    auto made = std::make_unique<StreamQueue>(context_);
    ++made_;
    return made;
  }
  std::unique_ptr<StreamQueue> queue = std::move(idle_.back());
  idle_.pop_back();
  return queue;
}

void FilmDecoder::give_back(std::unique_ptr<StreamQueue> queue) noexcept {
  if (queue != nullptr) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(queue));
    changed_.notify_one();
  }
}

}  // namespace bindrt::gpu
