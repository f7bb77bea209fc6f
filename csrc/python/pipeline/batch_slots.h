// Rows of a batch for csrc/prepare.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "csrc/pipeline/pipeline.h"
#include "csrc/prepare/prepare.h"
#include "csrc/python/pipeline/calls.h"

namespace bindrt {

inline bool is_wanted(const PythonTag& tag) { return tag.bulk == nullptr || tag.bulk->is_wanted(tag.index); }

class BatchSlots final : public prepare::Slots {
 public:
  BatchSlots(pipeline::ItemRows& rows, std::int64_t view_numbers, PythonTag& tag, const PythonCalls& calls,
             const std::atomic<bool>& stopped, const DeviceParts& device)
      : rows_(rows),
        view_numbers_(view_numbers),
        tag_(tag),
        calls_(calls),
        stopped_(stopped),
        device_(device) {}

  float* reserve(std::int64_t views) override { return static_cast<float*>(rows_.reserve(views)); }
  std::int64_t view_numbers() const override { return view_numbers_; }
  bool may_leave() const override { return device_.makes_rows; }
  std::shared_ptr<std::byte> room(std::size_t bytes, std::int64_t views) override {
    return rows_.room(bytes, views);
  }
  bool may_decode(kernels::PictureCoding coding, std::int64_t pixels) const override {
    return device_.makes_rows && rows_.may_decode(coding, pixels);
  }
  std::shared_ptr<const kernels::Decoded> decode(const kernels::EncodedPicture& picture) override {
    return rows_.decode(picture);
  }
  std::unique_ptr<kernels::DeviceFilm> film(const kernels::FilmSize& size) override {
    return rows_.film(size);
  }
  void count_film() override { rows_.count_film(); }
  bool may_refuse(const std::string& video, const char* why) override {
    if (device_.decodes_all) {
      tag_.refused = video + ": " + why;
    } else {
      calls_.tell_refused(video, why);
    }
    return !device_.decodes_all;
  }
  void leave(std::shared_ptr<const kernels::Decoded> item) override { rows_.leave(std::move(item)); }
  void count_copied(std::int64_t views) override { rows_.count_copied(views); }
  bool wanted() const override { return is_wanted(tag_) && !stopped_.load(std::memory_order_relaxed); }

 private:
  pipeline::ItemRows& rows_;
  const std::int64_t view_numbers_;
  PythonTag& tag_;
  const PythonCalls& calls_;
  const std::atomic<bool>& stopped_;
  const DeviceParts& device_;
};

}  // namespace bindrt
