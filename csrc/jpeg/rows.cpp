// Decodes rows of a JPEG for the resize, and gives up at the first sign of damage.
#include "csrc/jpeg/rows.h"

#include <algorithm>

#include "kernels/base/scratch.h"

namespace bindrt::jpeg {
namespace {

constexpr std::int32_t kBlock = 16;    // rows that are asked for at once, at most
constexpr std::uint32_t kMargin = 64;  // the most that upsampling of colours looks beyond: two blocks of 32

void nothing(Decompress*) {}

}  // namespace

Rows::Rows(const Library& library, const std::uint8_t* data, std::size_t size) noexcept
    : library_(library), data_(data), size_(size) {}

Rows::~Rows() {
  if (created_) {
    guarded([this] { library_.destroy(&state_); });
  }
}

// The library's errors end here, as its functions must not return from them. Nothing that is called on the
// way has a destructor.
template <class Work>
bool Rows::guarded(Work work) noexcept {
  if (setjmp(jump_) != 0) {
    return false;
  }
  work();
  return true;
}

void Rows::give_up(Decompress* state) { std::longjmp(static_cast<Rows*>(state->client_data)->jump_, 1); }

void Rows::on_message(Decompress* state, int level) {
  if (level < 0) {  // a warning: the library would go on and guess
    give_up(state);
  }
}

void Rows::skip_input(Decompress* state, long count) {
  SourceManager& source = *state->src;
  if (count <= 0) {
    return;
  }
  if (static_cast<std::size_t>(count) > source.bytes_in_buffer) {
    give_up(state);
  }
  source.next_input_byte += count;
  source.bytes_in_buffer -= static_cast<std::size_t>(count);
}

bool Rows::open() noexcept {
  state_.err = library_.std_error(&error_);
  state_.client_data = this;
  error_.error_exit = &give_up;
  error_.emit_message = &on_message;
  error_.output_message = &nothing;
  source_.next_input_byte = data_;
  source_.bytes_in_buffer = size_;
  source_.init_source = &nothing;
  source_.fill_input_buffer = [](Decompress* state) -> int { give_up(state); };
  source_.skip_input_data = &skip_input;
  source_.resync_to_restart = library_.resync_to_restart;
  source_.term_source = &nothing;
  created_ = true;  // from here on there may be something to destroy
  if (!guarded([this] { library_.create(&state_, kVersion, sizeof state_); })) {
    return false;  // a library of another version
  }
  state_.src = &source_;
  constexpr int kOk = 1;
  bool whole = false;
  const bool read = guarded([this, &whole] { whole = library_.read_header(&state_, 1) == kOk; });
  const bool usual = state_.num_components == 1 ||
                     (state_.num_components == 3 && (state_.jpeg_color_space == ColorSpace::kYcc ||
                                                     state_.jpeg_color_space == ColorSpace::kRgb));
  return read && whole && usual && state_.data_precision == 8 && width() > 0 && height() > 0;
}

kernels::PixelLayout Rows::layout() const noexcept {
  return state_.num_components == 1 ? kernels::PixelLayout::kGrey : kernels::PixelLayout::kRgb;
}

bool Rows::start(const kernels::ImageWindow& window) noexcept {
  state_.out_color_space = state_.num_components == 1 ? ColorSpace::kGrey : ColorSpace::kRgb;
  const bool started = guarded([this, &window] {
    library_.start(&state_);
    crop(window);
    pitch_ = std::size_t{state_.output_width} * static_cast<std::size_t>(state_.output_components);
  });
  if (!started || state_.output_components != kernels::pixel_bytes(layout())) {
    return false;
  }
  readable = static_cast<std::int64_t>(pitch_) - offset_;
  static thread_local kernels::Scratch<std::uint8_t> memory;
  buffer_ = memory.get(kBlock * pitch_);
  return buffer_ != nullptr &&
         guarded([this, &window] { skip_to(static_cast<std::uint32_t>(window.first_row)); });
}

// Columns outside are not made, but for a margin: at the edges of what is made, colours lack a neighbour.
void Rows::crop(const kernels::ImageWindow& window) {
  const auto begin = static_cast<std::uint32_t>(window.first_column);
  const std::uint32_t end = begin + static_cast<std::uint32_t>(window.columns);
  std::uint32_t first = begin - std::min(begin, kMargin);
  std::uint32_t count = std::min(state_.output_width - end, kMargin) + end - first;
  if (count < state_.output_width) {
    library_.crop_columns(&state_, &first, &count);
  } else {
    first = 0;
  }
  offset_ = static_cast<std::ptrdiff_t>(begin - first) * kernels::pixel_bytes(layout());
}

void Rows::read(std::uint8_t* row) {
  if (library_.read_rows(&state_, &row, 1) != 1) {
    give_up(&state_);
  }
}

// The next row read will be `row`. The last rows before it are decoded: they too are neighbours.
void Rows::skip_to(std::uint32_t row) {
  if (row > state_.output_scanline + kMargin) {
    library_.skip_rows(&state_, row - kMargin - state_.output_scanline);
  }
  while (state_.output_scanline < row) {
    read(buffer_);
  }
}

bool Rows::next(std::int32_t count, const std::uint8_t** rows) noexcept {
  for (std::int32_t i = 0; i < count; ++i) {
    rows[i] = buffer_ + static_cast<std::size_t>(i) * pitch_ + offset_;
  }
  return guarded([this, count] {
    for (std::int32_t i = 0; i < count; ++i) {
      read(buffer_ + static_cast<std::size_t>(i) * pitch_);
    }
  });
}

bool Rows::finish() noexcept {
  return guarded([this] {
    skip_to(state_.output_height);
    library_.finish(&state_);
  });
}

bool read_input(const Library& library, const std::uint8_t* data, std::size_t size, std::int64_t max_pixels,
                kernels::OutType type, void* out, std::int32_t frames) noexcept {
  Rows rows(library, data, size);
  if (!rows.open() || std::int64_t{rows.width()} * rows.height() > max_pixels) {
    return false;
  }
  kernels::ImageWindow window{};
  return kernels::image_window(rows.width(), rows.height(), kernels::kPictureSide, window) &&
         rows.start(window) &&
         kernels::image_to_input(rows.width(), rows.height(), rows.layout(), rows, kernels::kClipScale,
                                 kernels::kPictureSide, type, out, frames) &&
         rows.finish();
}

}  // namespace bindrt::jpeg
