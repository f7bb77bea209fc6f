// Counts a video's packets, and decodes those that its frames need.
#include "csrc/video/film.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "csrc/native/cores.h"
#include "csrc/video/claims.h"
#include "csrc/video/film_numbers.h"
#include "csrc/video/library.h"
#include "csrc/video/on_device.h"

namespace bindrt::video {
namespace {

constexpr std::int64_t kSeekGap = 50;  // packets: reading over fewer is cheaper than seeking
constexpr std::int64_t kLook = 64;     // packets between two looks whether somebody waits
constexpr std::int64_t kFreeBytes = 1024;
constexpr double kRounding = 1e-6;  // seconds; Python adds fractions

// When the packets of all streams end, in seconds.
class Ends {
 public:
  explicit Ends(const Container& container) : container_(container), seconds_(container.stream_count()) {}

  // False for times that nobody has.
  bool add(const AvPacket& packet) {
    const std::int64_t time = packet.pts == kNoTime ? packet.dts : packet.pts;
    constexpr std::int64_t kMost = std::int64_t{1} << 60;
    if (time == kNoTime) {
      return true;
    }
    if (std::abs(time) > kMost || packet.duration < 0 || packet.duration > kMost) {
      return false;
    }
    const AvRational base = container_.stream(packet.stream).time_base;
    double& end = seconds_[static_cast<std::size_t>(packet.stream)];
    end = std::max(end, static_cast<double>(time + packet.duration) * base.num / base.den);
    return true;
  }

  double last() const { return *std::ranges::max_element(seconds_); }

 private:
  const Container& container_;
  std::vector<double> seconds_;
};

// Lets a device end what it has of a video, however decoding ends.
class WaitsFor {
 public:
  explicit WaitsFor(kernels::DeviceFilm& device) noexcept : device_(device) {}
  WaitsFor(const WaitsFor&) = delete;
  WaitsFor& operator=(const WaitsFor&) = delete;
  ~WaitsFor() { device_.wait(); }

 private:
  kernels::DeviceFilm& device_;
};

}  // namespace

std::unique_ptr<Film> Film::open(const Ffmpeg& library, const audio::Input& input, const FilmLimits& limits,
                                 const Wanted& wanted) {
  const std::optional<Kind> kind = kind_of(input);
  if (!kind || !holds_its_claims(input, *kind, most_packets(input.size(), limits.max_packets))) {
    return nullptr;
  }
  const bool is_mp4 = *kind == Kind::kMp4;
  std::unique_ptr<Film> film(new Film(library, input, limits, is_mp4));
  film->container_ = Container::open(library, input, is_mp4 ? "mov" : "matroska");
  film->stream_ = film->container_ == nullptr ? nullptr : film->container_->video();
  const bool good = film->packet_.get() != nullptr && film->stream_ != nullptr && film->is_ordinary() &&
                    film->count(!is_mp4, wanted);
  return good ? std::move(film) : nullptr;
}

// What its header says.
bool Film::is_ordinary() const noexcept {
  const AvParameters& parameters = *stream_->parameters;
  const AvCodec* const decoder = library_.find_decoder(parameters.codec);
  const std::int64_t pixels = std::int64_t{parameters.width} * parameters.height;
  return decoder != nullptr && parameters.width > 0 && parameters.height > 0 &&
         pixels <= limits_.max_pixels && may_be_held(*decoder) && stream_->average_rate.is_positive() &&
         rate() <= kFastest;
}

// Whether the frames that the decoder may keep are few enough.
bool Film::may_be_held(const AvCodec& decoder) const noexcept {
  const char* const name = library_.format_name(stream_->parameters->format);
  const std::string_view format = name == nullptr ? "" : name;
  if (format != "yuv420p" && format != "yuvj420p" && format != "nv12") {
    return false;
  }
  const std::int64_t width = this->width();
  const std::int64_t height = this->height();
  const std::int64_t bytes = width * height + 2 * ((width + 1) / 2) * ((height + 1) / 2);
  const double most = static_cast<double>(limits_.max_picture_bytes) + static_cast<double>(kHeldEach * size_);
  return static_cast<double>(frames_kept(decoder.name) * bytes) <= most;
}

// Reads all packets.
bool Film::count(bool all_streams, const Wanted& wanted) {
  Ends ends(*container_);
  const std::int64_t most = most_packets(size_, limits_.max_packets);
  std::int64_t read = 0;
  std::int64_t bytes = 0;
  for (;;) {
    const Container::Got got = container_->read(packet_);
    if (got != Container::Got::kPacket) {
      if (got == Container::Got::kError) {
        return false;
      }
      break;
    }
    const AvPacket& packet = *packet_;
    const bool is_video = packet.stream == stream_->index;
    if (packet.size == 0 || (!is_video && !all_streams)) {
      continue;
    }
    bytes += packet.size;
    if (++read > most || bytes > kPackedTimes * size_ + kFreeBytes || !ends.add(packet) ||
        (read % kLook == 0 && !wanted())) {
      return false;
    }
    if (!is_video) {
      continue;
    }
    if (packet.pts == kNoTime || (packet.flags & (kCorruptPacket | kHiddenPacket)) != 0) {
      return false;
    }
    packets_.add(packet.pts, (packet.flags & kKeyPacket) != 0, packet.size);
  }
  next_ = packets_.count();
  const AvDescriptor* const codec = library_.descriptor(stream_->parameters->codec);
  const bool reorders = codec == nullptr || (codec->properties & kReorders) != 0;
  const double seconds = all_streams ? container_->seconds() : 0.0;
  return packets_.count() > 0 && packets_.finish() &&
         (packets_.reordered() || !reorders || stream_->parameters->delay == 0) &&
         static_cast<double>(packets_.count()) <= limits_.max_seconds * rate() &&
         stream_->frames - packets_.count() <= kMissing &&
         seconds - ends.last() < std::max(0.5, 0.05 * seconds) - kRounding;
}

// Whether what is to be decoded is not too much for its size.
bool Film::fits(const Packets::Plan& plan) const noexcept {
  double pixels = 0;
  double bytes = 0;
  for (const Run& run : plan.runs) {
    pixels += static_cast<double>(run.size()) * width() * height();
    for (std::int64_t at = run.begin; at < run.end; ++at) {
      bytes += packets_.bytes(at);
    }
  }
  return pixels <= kFreePixels + limits_.max_pixels_per_byte * bytes;
}

bool Film::read(std::span<const std::int64_t> frames, const Take& take, const Wanted& wanted) {
  const Packets::Plan plan = packets_.plan(frames);
  if (!fits(plan)) {
    return false;
  }
  const bool of_frames = std::int64_t{width()} * height() <= kLarge;
  const std::unique_ptr<Decoder> decoder =
      Decoder::of(library_, *stream_, decoder_threads(native::usable_threads()), of_frames);
  return decoder != nullptr && decode(*decoder, plan, take, wanted);
}

const char* Film::read_on(kernels::DeviceFilm& device, std::span<const std::int64_t> frames, const Take& take,
                          const Wanted& wanted) {
  if (!is_exact_codec(codec())) {
    return "the frames of its codec depend on the decoder";
  }
  const Packets::Plan plan = packets_.plan(frames);
  if (!fits(plan)) {
    return "it is too much for its size";
  }
  const std::unique_ptr<Decoder> decoder = Decoder::on_device(library_, *stream_, device);
  if (decoder == nullptr) {
    return "FFmpeg has no NVDEC here";
  }
  const WaitsFor waits(device);  // before the decoder goes, and its frames
  if (!decode(*decoder, plan, take, wanted) || !device.wait()) {
    return "NVDEC refuses it or fails, or the driver has no libnvcuvid.so.1 (bindrt.doctor() looks)";
  }
  return nullptr;
}

// A frame's rows and columns are aligned there.
std::int64_t Film::bytes_on_device() const noexcept {
  const auto aligned = [](std::int64_t size, std::int64_t to) { return (size + to - 1) / to * to; };
  return frames_on_device(codec()) * aligned(width(), 256) * aligned(height(), 64) * 3 / 2;
}

bool Film::decode(Decoder& decoder, const Packets::Plan& plan, const Take& take, const Wanted& wanted) {
  // H.264 marks reference frames: no other frame is predicted from a frame without the mark.
  const bool skipping = std::string_view(codec()) == "h264";
  std::int64_t last = kNoTime;
  std::size_t taken = 0;
  const auto take_if_wanted = [&](const AvFrame& decoded) {
    // Decoders give frames as they are shown. A frame with fields may have the second in another packet.
    const bool is_usual = decoded.pts != kNoTime && (last == kNoTime || decoded.pts > last) &&
                          (decoded.flags & (kCorruptFrame | kInterlacedFrame)) == 0 &&
                          decoded.error_flags == 0;
    last = decoded.pts;
    const auto found = plan.frames.find(decoded.pts);
    if (!is_usual || found == plan.frames.end()) {
      return is_usual;
    }
    const std::optional<Frame> frame = frame_of(decoded);
    ++taken;
    return frame && take(found->second, *frame);
  };
  for (const Run& run : plan.runs) {
    for (std::int64_t at = run.begin; at < run.end; ++at) {
      if (!next(at) || !wanted()) {
        return false;
      }
      decoder.skip_others(skipping && !plan.packets.contains(at));
      if (!decoder.decode(packet_.get(), take_if_wanted)) {
        return false;
      }
    }
    if (!decoder.decode(nullptr, take_if_wanted)) {
      return false;
    }
    decoder.flush();
  }
  return taken == plan.frames.size();
}

const char* Film::codec() const noexcept {
  const AvDescriptor* const found = library_.descriptor(stream_->parameters->codec);
  return found == nullptr ? "" : found->name;
}

// The video's next packet.
bool Film::pull() noexcept {
  do {
    if (container_->read(packet_) != Container::Got::kPacket) {
      return false;
    }
  } while ((*packet_).stream != stream_->index || (*packet_).size == 0);
  return true;
}

// To a key frame: the packet that is read is its own, or one before it.
bool Film::go_to(std::int64_t packet) noexcept {
  if (!container_->seek(*stream_, packets_.time(packet)) || !pull()) {
    return false;
  }
  const std::optional<std::int64_t> found = packets_.at_time((*packet_).pts);
  next_ = found.value_or(packet + 1);
  return next_ <= packet;
}

// Reads a packet: that of a key frame, or the next after the last one. Each must be as it was counted.
bool Film::next(std::int64_t packet) noexcept {
  bool is_read = false;
  if (packet < next_ || packet - next_ > kSeekGap) {
    if (!go_to(packet)) {
      return false;
    }
    is_read = true;
  }
  for (;;) {
    if (!is_read && !pull()) {
      return false;
    }
    is_read = false;
    if ((*packet_).pts != packets_.time(next_) || (*packet_).size != packets_.bytes(next_)) {
      return false;
    }
    if (next_++ == packet) {
      return true;
    }
  }
}

// A device's frame has the samples of the one that the CPU would make, which is what a conversion is known
// of.
std::optional<Frame> Film::frame_of(const AvFrame& decoded) const {
  const bool on_device = decoded.device_frames != nullptr;
  const char* const name = library_.format_name(on_device ? stream_->parameters->format : decoded.format);
  const auto how = name == nullptr ? std::nullopt : conversion(FrameFormat::of(decoded, name));
  if (!how || std::int64_t{decoded.width} * decoded.height > limits_.max_pixels ||
      (on_device && !is_nv12_on_device(library_, decoded))) {
    return std::nullopt;
  }
  Frame frame;
  kernels::DecodedPicture& picture = frame.picture;
  picture.format = on_device ? kernels::PixelFormat::kNv12 : how->format;
  picture.width = decoded.width;
  picture.height = decoded.height;
  picture.matrix = kernels::yuv_matrix(how->standard, how->full);
  const std::optional<std::int32_t> turns = quarter_turns(decoded);
  if (!turns || !set_planes(decoded, picture)) {
    return std::nullopt;
  }
  frame.quarter_turns = *turns;
  return frame;
}

bool Film::set_planes(const AvFrame& decoded, kernels::DecodedPicture& picture) const noexcept {
  const bool interleaved = picture.format == kernels::PixelFormat::kNv12;
  const std::int32_t chroma = kernels::chroma_size(picture.width) * (interleaved ? 2 : 1);
  for (int i = 0; i < (interleaved ? 2 : 3); ++i) {
    if (decoded.data[i] == nullptr || decoded.line_size[i] < (i == 0 ? picture.width : chroma)) {
      return false;
    }
    picture.planes[i] = decoded.data[i];
    picture.strides[i] = decoded.line_size[i];
  }
  return true;
}

// Counter-clockwise; nothing if that cannot be told.
std::optional<std::int32_t> Film::quarter_turns(const AvFrame& decoded) const noexcept {
  const AvSideData* const matrix = turns_ ? library_.side_data(&decoded, kDisplayMatrix) : nullptr;
  if (matrix == nullptr) {
    return 0;
  }
  std::int32_t numbers[9];
  if (matrix->size < sizeof numbers) {
    return std::nullopt;
  }
  std::copy_n(matrix->data, sizeof numbers, reinterpret_cast<std::uint8_t*>(numbers));
  const double degrees = library_.rotation(numbers);
  if (!std::isfinite(degrees)) {
    return std::nullopt;
  }
  const int angle = static_cast<int>(degrees);
  return angle % 90 == 0 ? ((angle / 90) % 4 + 4) % 4 : 0;
}

}  // namespace bindrt::video
