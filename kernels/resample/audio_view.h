// Reading samples on the CPU.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/base/dispatch.h"
#include "kernels/resample/audio_sample.h"

namespace bindrt::kernels {

// Samples [begin, end) of a view that holds them.
inline AudioView cut(const AudioView& view, std::int64_t begin, std::int64_t end) noexcept {
  AudioView part = view;
  part.samples = static_cast<const char*>(view.samples) + (begin - view.begin) * view.sample_stride;
  part.begin = begin;
  part.count = end - begin;
  return part;
}

namespace detail {

template <class T>
BINDRT_INLINE float sample_at(const char* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return full_scale(value);
}

template <class T>
BINDRT_INLINE void load_one(const char* from, std::int64_t stride, std::int64_t count, float* out) noexcept {
  constexpr auto size = static_cast<std::int64_t>(sizeof(T));
  if (stride == size) {  // a stride that the compiler knows makes these loops vector code
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = sample_at<T>(from + i * size);
    }
  } else if (stride == 2 * size) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = sample_at<T>(from + i * 2 * size);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = sample_at<T>(from + i * stride);
    }
  }
}

// Rounded once, as a double sum would be: two floats' sum is exact in double, and halving is exact.
template <class T>
BINDRT_INLINE void load_mean_of_two(const char* from, std::int64_t stride, std::int64_t to_second,
                                    std::int64_t count, float* out) noexcept {
  constexpr auto size = static_cast<std::int64_t>(sizeof(T));
  if (to_second == size && stride == 2 * size) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = 0.5F * sample_at<T>(from + i * 2 * size) + 0.5F * sample_at<T>(from + i * 2 * size + size);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = 0.5F * sample_at<T>(from + i * stride) + 0.5F * sample_at<T>(from + i * stride + to_second);
    }
  }
}

template <class T>
BINDRT_INLINE void load_mean(const AudioView& view, const char* from, std::int64_t count,
                             float* out) noexcept {
  for (std::int64_t i = 0; i < count; ++i) {
    double sum = 0.0;
    for (std::int32_t channel = 0; channel < view.channels; ++channel) {
      sum += static_cast<double>(sample_at<T>(from + channel * view.channel_stride));
    }
    out[i] = static_cast<float>(sum / view.channels);
    from += view.sample_stride;
  }
}

template <class T>
BINDRT_INLINE void load_inside(const AudioView& view, std::int32_t channel, std::int64_t first,
                               std::int64_t count, float* out) noexcept {
  const char* const from = static_cast<const char*>(view.samples) + (first - view.begin) * view.sample_stride;
  if (channel != kMeanOfChannels || view.channels == 1) {
    const std::int64_t shift = channel == kMeanOfChannels ? 0 : channel * view.channel_stride;
    load_one<T>(from + shift, view.sample_stride, count, out);
  } else if (view.channels == 2) {
    load_mean_of_two<T>(from, view.sample_stride, view.channel_stride, count, out);
  } else {
    load_mean<T>(view, from, count, out);
  }
}

}  // namespace detail

// Samples [first, first + count) of a channel, or of the mean of all, as floats; zero outside the view.
BINDRT_INLINE void load_samples(const AudioView& view, std::int32_t channel, std::int64_t first,
                                std::int64_t count, float* out) noexcept {
  const std::int64_t low = std::clamp(view.begin, first, first + count);
  const std::int64_t high = std::clamp(view.begin + view.count, low, first + count);
  std::fill(out, out + (low - first), 0.0F);
  std::fill(out + (high - first), out + count, 0.0F);
  float* const inside = out + (low - first);
  switch (view.type) {
    case SampleType::kFloat32:
      detail::load_inside<float>(view, channel, low, high - low, inside);
      break;
    case SampleType::kInt16:
      detail::load_inside<std::int16_t>(view, channel, low, high - low, inside);
      break;
    case SampleType::kInt32:
      detail::load_inside<std::int32_t>(view, channel, low, high - low, inside);
      break;
  }
}

// The largest magnitude in the view; NaN if a sample is that. 0 for no samples.
float peak(const AudioView& view) noexcept;

}  // namespace bindrt::kernels
