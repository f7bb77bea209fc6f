// The functions of FFmpeg's libraries that read a video, and the fields of its structures that are used. We
// call the very libraries that PyAV has loaded, without their headers. The places of these fields are those
// of FFmpeg 8 and 9 (PyAV 16 to 19), which are the same; libraries of another version are not used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace bindrt::video {

struct AvVersions {  // of the three libraries
  unsigned format;
  unsigned codec;
  unsigned util;

  bool operator==(const AvVersions&) const = default;
};
inline constexpr AvVersions kKnownVersions[] = {{62, 62, 60}, {63, 63, 61}};

inline constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();
inline constexpr int kEndOfFile = -0x20464F45;  // "EOF " reversed
inline constexpr int kAgain = -11;
inline constexpr int kVideoStream = 0;  // types of streams
inline constexpr int kSoundStream = 1;
inline constexpr int kCoverPicture = 1 << 10;  // a disposition
inline constexpr int kKeyPacket = 1 << 0;      // flags of a packet
inline constexpr int kCorruptPacket = 1 << 1;
inline constexpr int kHiddenPacket = 1 << 2;
inline constexpr int kCorruptFrame = 1 << 0;  // flags of a frame
inline constexpr int kInterlacedFrame = 1 << 3;
inline constexpr int kReorders = 1 << 3;  // a property of codecs
inline constexpr int kDisplayMatrix = 6;  // side data of a frame
inline constexpr int kSeekBackward = 1;
inline constexpr int kSeekSize = 0x10000;   // asks for the size
inline constexpr int kSeekForce = 0x20000;  // may be added to where it counts from
inline constexpr int kSkipNothing = 0;      // frames that the decoder skips
inline constexpr int kSkipNotReferred = 8;
inline constexpr int kFrameThreads = 1;
inline constexpr int kSliceThreads = 2;
inline constexpr int kCheckSums = 1;    // what a decoder takes for an error
inline constexpr int kFloatPlanes = 8;  // a format: floats, each channel for itself
inline constexpr int kNativeOrder = 1;  // of channels: that of the bits of a mask
inline constexpr int kCudaDevice = 2;   // a type of devices that decode
inline constexpr int kNoFormat = -1;    // of pixels

struct AvRational {
  int num;
  int den;

  double value() const noexcept { return static_cast<double>(num) / den; }
  bool is_positive() const noexcept { return num > 0 && den > 0; }
};

struct AvCodec {
  const char* name;
};

struct AvDescriptor {  // of a codec
  int id;
  int type;
  const char* name;
  const char* long_name;
  int properties;
};

struct AvParameters {
  int type;
  int codec;
  std::uint32_t tag;
  std::uint8_t* extra;
  int extra_size;
  void* side_data;
  int side_data_count;
  int format;
  std::int64_t bit_rate;
  int coded_bits;
  int raw_bits;
  int profile;
  int level;
  int width;
  int height;
  AvRational sample_aspect_ratio;
  AvRational rate;
  int field_order;
  int color_range;
  int color_primaries;
  int color_trc;
  int colorspace;
  int chroma_place;
  int delay;  // frames
};

struct AvStream {
  const void* of_class;
  int index;
  int id;
  AvParameters* parameters;
  void* own;
  AvRational time_base;
  std::int64_t start;
  std::int64_t duration;
  std::int64_t frames;
  int disposition;
  int discard;
  AvRational sample_aspect_ratio;
  void* metadata;
  AvRational average_rate;
};

struct AvIo {
  const void* of_class;
  std::uint8_t* buffer;
};

struct AvFormat {
  const void* of_class;
  const void* demuxer;
  const void* muxer;
  void* own;
  AvIo* io;
  int context_flags;
  unsigned stream_count;
  AvStream** streams;
  unsigned group_count;
  void* groups;
  unsigned chapter_count;
  void* chapters;
  char* url;
  std::int64_t start;
  std::int64_t duration;  // microseconds
};

struct AvPacket {
  void* buffer;
  std::int64_t pts;
  std::int64_t dts;
  std::uint8_t* data;
  int size;
  int stream;
  int flags;
  void* side_data;
  int side_data_count;
  std::int64_t duration;
};

struct AvSideData {
  int type;
  std::uint8_t* data;
  std::size_t size;
};

struct AvChannels {
  int order;
  int count;
  std::uint64_t mask;
  void* opaque;
};

struct AvBuffer {
  void* owned;
  void* data;
  std::size_t size;
};

struct AvDevice {  // that decodes
  const void* of_class;
  int type;
  void* of_type;  // AvCuda for kCudaDevice
};

struct AvCuda {
  void* context;
  void* stream;
  void* own;
};

struct AvDeviceFrames {  // frames in a device's memory
  const void* of_class;
  AvBuffer* device_buffer;
  AvDevice* device;
  void* of_type;
  void* free;
  void* opaque;
  void* pool;
  int first_size;
  int format;
  int planes_format;  // what lies in the memory
};

struct AvOption {  // of a structure's fields
  const char* name;
  const char* help;
  int offset;
};

struct AvFrame {
  std::uint8_t* data[8];
  int line_size[8];
  std::uint8_t** extended_data;
  int width;
  int height;
  int samples;
  int format;
  int picture_type;
  AvRational sample_aspect_ratio;
  std::int64_t pts;
  std::int64_t packet_dts;
  AvRational time_base;
  int quality;
  void* opaque;
  int repeats;
  int sample_rate;
  void* buffers[8];
  void* extended_buffers;
  int extended_buffer_count;
  void* side_data;
  int side_data_count;
  int flags;
  int color_range;
  int color_primaries;
  int color_trc;
  int colorspace;
  int chroma_place;
  std::int64_t best_time;
  void* metadata;
  int error_flags;
  AvBuffer* device_frames;  // null: the frame is in the host's memory
  void* opaque_buffer;
  std::size_t crop[4];  // top, bottom, left, right; still to be done
  void* private_buffer;
  AvChannels channels;
};

static_assert(offsetof(AvParameters, width) == 72 && offsetof(AvParameters, delay) == 120);
static_assert(offsetof(AvStream, parameters) == 16 && offsetof(AvStream, average_rate) == 88);
static_assert(offsetof(AvFormat, streams) == 48 && offsetof(AvFormat, duration) == 104);
static_assert(offsetof(AvPacket, stream) == 36 && offsetof(AvPacket, duration) == 64);
static_assert(offsetof(AvDevice, of_type) == 16 && offsetof(AvDeviceFrames, planes_format) == 64);
static_assert(offsetof(AvFrame, pts) == 136 && offsetof(AvFrame, flags) == 276 &&
              offsetof(AvFrame, error_flags) == 320 && offsetof(AvFrame, channels) == 384);

struct AvContext;
struct AvOptions;
using AvChooseFormat = int(AvContext*, const int* offered);  // pixel formats, kNoFormat at the end
using AvRead = int(void* user, std::uint8_t* to, int size);
using AvWrite = int(void* user, const std::uint8_t* from, int size);
using AvSeek = std::int64_t(void* user, std::int64_t at, int whence);

struct Ffmpeg {
  unsigned (*format_version)();
  unsigned (*codec_version)();
  unsigned (*util_version)();

  const void* (*find_demuxer)(const char* name);
  AvFormat* (*new_format)();
  int (*open_input)(AvFormat**, const char* url, const void* demuxer, AvOptions**);
  int (*find_streams)(AvFormat*, AvOptions**);
  void (*close_input)(AvFormat**);
  void (*free_format)(AvFormat*);
  int (*read)(AvFormat*, AvPacket*);
  int (*seek)(AvFormat*, int stream, std::int64_t time, int flags);
  AvIo* (*new_io)(std::uint8_t* buffer, int size, int writes, void* user, AvRead*, AvWrite*, AvSeek*);
  void (*free_io)(AvIo**);

  const AvCodec* (*find_decoder)(int codec);
  const AvCodec* (*find_decoder_named)(const char* name);
  const AvDescriptor* (*descriptor)(int codec);
  AvContext* (*new_context)(const AvCodec*);
  void (*free_context)(AvContext**);
  int (*set_parameters)(AvContext*, const AvParameters*);
  int (*open)(AvContext*, const AvCodec*, AvOptions**);
  int (*send)(AvContext*, const AvPacket*);
  int (*receive)(AvContext*, AvFrame*);
  void (*flush)(AvContext*);
  AvPacket* (*new_packet)();
  void (*free_packet)(AvPacket**);
  void (*clear_packet)(AvPacket*);

  AvFrame* (*new_frame)();
  void (*free_frame)(AvFrame**);
  const AvSideData* (*side_data)(const AvFrame*, int type);
  double (*rotation)(const std::int32_t matrix[9]);
  const char* (*format_name)(int pixel_format);
  int (*format_named)(const char* name);
  void* (*allocate)(std::size_t);
  void (*free)(void*);
  int (*set_text)(AvOptions**, const char* name, const char* value, int flags);
  void (*free_options)(AvOptions**);
  int (*set_number)(void* object, const char* name, std::int64_t value, int flags);
  int (*set_ratio)(void* object, const char* name, AvRational value, int flags);
  const AvOption* (*find_option)(void* object, const char* name, const char* unit, int flags, int search);

  AvChooseFormat* choose_format;  // what a new context of a decoder has
  AvBuffer* (*new_device)(int type);
  int (*start_device)(AvBuffer*);
  void (*release)(AvBuffer**);

  // Looks them up in the loaded module at `path` and what it depends on; false if one is missing, or if the
  // libraries are of a version that is not known.
  bool find(const char* path) noexcept;
};

}  // namespace bindrt::video
