// A stand-in for FFmpeg's decoding on NVIDIA GPUs: FFmpeg's own decoders of the CPU, whose frames it puts
// into the simulated driver's memory as NVDEC would. Built against the FFmpeg that PyAV has loaded, and
// handed to bindrt in its place: functions that are not here are FFmpeg's.
//
// FFmpeg's own decoder of AV1 works on devices alone: dav1d makes its frames, and FFmpeg's says whether it
// would have asked for the device.
//
// As FFmpeg does, it copies a frame on the device's stream, into memory that it takes back when the frame is
// freed, gives to a later one, and frees with the decoder. So a kernel that another stream runs, or that runs
// too late, meets other frames, poison, or memory that is gone.
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "csrc/video/ffmpeg.h"

namespace {

using namespace bindrt::video;

constexpr int kCudaFormat = 117;
constexpr int kNv12 = 23;
constexpr int kRefused = -22;
constexpr int kNotReady = 600;
constexpr std::size_t kChoosesAt = 192;  // of a decoder's context in FFmpeg 8 and 9
constexpr std::size_t kDeviceAt = 560;

std::mutex mutex;  // guards what follows
std::string misused;
std::string behaviour;
int frames_made = 0;

void require(bool good, const char* what) {
  if (!good) {
    const std::lock_guard lock(mutex);
    misused += std::string(what) + "\n";
  }
}

bool behaves(const char* how) {
  const std::lock_guard lock(mutex);
  return behaviour == how;
}

template <class Function>
Function* real(const char* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(dlopen(library, RTLD_LAZY | RTLD_NOLOAD), name));
}

template <class... Arguments>
int driver(const char* name, Arguments... arguments) {
  static void* const library = dlopen(std::getenv("BINDRT_LIBCUDA"), RTLD_LAZY);
  return reinterpret_cast<int (*)(Arguments...)>(dlsym(library, name))(arguments...);
}

using Address = unsigned long long;

// While it lives, a context is the thread's.
struct Current {
  explicit Current(void* context) { require(driver("cuCtxPushCurrent_v2", context) == 0, "no context"); }
  ~Current() {
    void* popped = nullptr;
    driver("cuCtxPopCurrent_v2", &popped);
  }
};

// Memory for frames of one decoder; lives while it or a frame does.
struct Pool {
  explicit Pool(void* of) : context(of) {}
  Pool(const Pool&) = delete;
  ~Pool() {
    const Current current(context);
    for (const Address address : idle) {
      driver("cuMemFree_v2", address);
    }
  }
  Address take(std::size_t bytes) {
    if (!idle.empty()) {
      const Address address = idle.back();
      idle.pop_back();
      return address;
    }
    Address address = 0;
    const Current current(context);
    require(driver("cuMemAlloc_v2", &address, bytes) == 0, "no memory");
    return address;
  }
  void* const context;
  std::vector<Address> idle;
};

struct Session {
  void* stream;
  void* other_stream;
  AvBuffer* device;
  std::shared_ptr<Pool> pool;
  AvContext* instead;  // decodes instead of the context; null: that does
  int frames = 0;
  bool is_asked = false;
};
std::map<AvContext*, Session> sessions;

Session* session_of(AvContext* context) {
  const std::lock_guard lock(mutex);
  const auto found = sessions.find(context);
  return found == sessions.end() ? nullptr : &found->second;
}

template <class T>
T& field(AvContext* context, std::size_t at) {
  return *reinterpret_cast<T*>(reinterpret_cast<std::byte*>(context) + at);
}

// What FFmpeg asks of a decoder whose device has failed: its own formats are the last.
int without_device(AvContext* context, const int* offered) {
  if (Session* const session = session_of(context)) {
    session->is_asked = true;
  }
  bool with_device = false;
  for (; *offered != kNoFormat; ++offered) {
    with_device |= *offered == kCudaFormat;
    if (offered[1] == kNoFormat) {
      break;
    }
  }
  require(with_device, "this FFmpeg has no NVDEC for the codec");
  return *offered;
}

struct Lent {  // a frame's memory
  std::shared_ptr<Pool> pool;
  Address address;
};

void give_back(void* opaque, std::uint8_t*) {
  const std::unique_ptr<Lent> lent(static_cast<Lent*>(opaque));
  lent->pool->idle.push_back(lent->address);
}

struct Copy {  // on its way
  Address to;
  std::vector<std::uint8_t> bytes;
};

void write_copy(void* opaque) {
  const std::unique_ptr<Copy> copy(static_cast<Copy*>(opaque));
  driver("bindrt_cudasim_write", copy->to, static_cast<const void*>(copy->bytes.data()), copy->bytes.size());
}

// The samples of a frame as NV12, rows `pitch` bytes apart.
std::vector<std::uint8_t> to_nv12(const AvFrame& frame, std::size_t pitch) {
  const auto height = static_cast<std::size_t>(frame.height);
  const auto width = static_cast<std::size_t>(frame.width);
  const std::size_t half_height = (height + 1) / 2;
  const std::size_t half_width = (width + 1) / 2;
  std::vector<std::uint8_t> out(pitch * (height + half_height), 0xee);
  for (std::size_t y = 0; y < height; ++y) {
    std::memcpy(out.data() + y * pitch, frame.data[0] + static_cast<std::ptrdiff_t>(y) * frame.line_size[0],
                width);
  }
  for (std::size_t y = 0; y < half_height; ++y) {
    std::uint8_t* const to = out.data() + (height + y) * pitch;
    for (std::size_t x = 0; x < half_width; ++x) {
      for (int plane = 1; plane < 3; ++plane) {
        to[2 * x + static_cast<std::size_t>(plane) - 1] =
            frame.data[plane][static_cast<std::ptrdiff_t>(y) * frame.line_size[plane] +
                              static_cast<std::ptrdiff_t>(x)];
      }
    }
  }
  return out;
}

// Moves a frame to the device: what is asked of it later comes after the copy.
void move_to_device(const Session& session, const AvFrame& from, AvFrame* to) {
  real<int(AvFrame*, const AvFrame*)>(AVUTIL, "av_frame_copy_props")(to, &from);
  const std::size_t pitch = (static_cast<std::size_t>(from.width) + 255) / 256 * 256;
  auto copy = std::make_unique<Copy>();
  copy->bytes = to_nv12(from, pitch);
  copy->to = session.pool->take(copy->bytes.size());
  to->width = from.width;
  to->height = from.height;
  to->format = kCudaFormat;
  to->data[0] = reinterpret_cast<std::uint8_t*>(copy->to);
  to->data[1] = to->data[0] + pitch * static_cast<std::size_t>(from.height);
  to->line_size[0] = to->line_size[1] = static_cast<int>(pitch);
  to->buffers[0] = real<AvBuffer*(std::uint8_t*, std::size_t, void (*)(void*, std::uint8_t*), void*, int)>(
      AVUTIL, "av_buffer_create")(to->data[0], copy->bytes.size(), &give_back,
                                  new Lent{session.pool, copy->to}, 0);
  to->device_frames = real<AvBuffer*(AvBuffer*)>(AVUTIL, "av_hwframe_ctx_alloc")(session.device);
  static_cast<AvDeviceFrames*>(to->device_frames->data)->planes_format = behaves("deep") ? kNv12 + 1 : kNv12;
  to->crop[2] = behaves("cropped") ? 2 : 0;
  const Current current(session.pool->context);
  void* const stream = behaves("other stream") ? session.other_stream : session.stream;
  require(driver("cuLaunchHostFunc", stream, &write_copy, static_cast<void*>(copy.release())) == 0,
          "no stream");
}

// A decoder of the CPU for what FFmpeg's own decodes on devices alone; null for all others.
AvContext* instead_of(AvContext* context, const AvCodec& codec) {
  if (std::strcmp(codec.name, "av1") != 0) {
    return nullptr;
  }
  const AvCodec* const other =
      real<const AvCodec*(const char*)>(AVCODEC, "avcodec_find_decoder_by_name")("libdav1d");
  AvContext* const made = real<AvContext*(const AvCodec*)>(AVCODEC, "avcodec_alloc_context3")(other);
  auto* parameters = real<AvParameters*()>(AVCODEC, "avcodec_parameters_alloc")();
  real<int(AvParameters*, const AvContext*)>(AVCODEC, "avcodec_parameters_from_context")(parameters, context);
  real<int(AvContext*, const AvParameters*)>(AVCODEC, "avcodec_parameters_to_context")(made, parameters);
  real<void(AvParameters**)>(AVCODEC, "avcodec_parameters_free")(&parameters);
  require(
      real<int(AvContext*, const AvCodec*, AvOptions**)>(AVCODEC, "avcodec_open2")(made, other, nullptr) >= 0,
      "no dav1d");
  return made;
}

}  // namespace

extern "C" {

int av_hwdevice_ctx_init(AvBuffer* buffer) {
  const auto& device = *static_cast<const AvDevice*>(buffer->data);
  const auto& cuda = *static_cast<const AvCuda*>(device.of_type);
  require(device.type == kCudaDevice && cuda.stream != nullptr, "another device");
  const Current current(cuda.context);
  const int status = driver("cuStreamQuery", cuda.stream);
  require(status == 0 || status == kNotReady, "a stream that there is not");
  return behaves("no device") ? kRefused : 0;
}

int avcodec_open2(AvContext* context, const AvCodec* codec, AvOptions** options) {
  auto* const device = field<AvBuffer*>(context, kDeviceAt);
  if (device != nullptr) {
    auto*& chooses = field<AvChooseFormat*>(context, kChoosesAt);
    constexpr int kOffered[] = {kCudaFormat, 0, kNoFormat};
    require(chooses(context, kOffered) == kCudaFormat, "the device is not chosen");
    require(chooses(context, kOffered + 1) == kNoFormat, "another format is chosen");
    chooses = &without_device;
    const auto& cuda = *static_cast<const AvCuda*>(static_cast<const AvDevice*>(device->data)->of_type);
    void* other = nullptr;
    {
      const Current current(cuda.context);
      require(driver("cuStreamCreate", &other, 1U) == 0, "no stream");
    }
    AvContext* const instead = instead_of(context, *codec);
    const std::lock_guard lock(mutex);
    sessions[context] = {cuda.stream, other, device, std::make_shared<Pool>(cuda.context), instead};
  }
  return real<int(AvContext*, const AvCodec*, AvOptions**)>(AVCODEC, "avcodec_open2")(context, codec,
                                                                                      options);
}

int avcodec_send_packet(AvContext* context, const AvPacket* packet) {
  auto* const send = real<int(AvContext*, const AvPacket*)>(AVCODEC, "avcodec_send_packet");
  Session* const session = session_of(context);
  if (session != nullptr && (behaves("refuses") || (behaves("breaks") && session->frames > 0) ||
                             (behaves("breaks late") && session->frames > 5))) {
    return kRefused;
  }
  if (session == nullptr || session->instead == nullptr) {
    return send(context, packet);
  }
  if (!session->is_asked) {
    send(context, packet);  // without the device it decodes nothing
    require(session->is_asked, "the decoder does not ask for a device");
  }
  return send(session->instead, packet);
}

void avcodec_flush_buffers(AvContext* context) {
  Session* const session = session_of(context);
  AvContext* const instead = session == nullptr ? nullptr : session->instead;
  real<void(AvContext*)>(AVCODEC, "avcodec_flush_buffers")(instead == nullptr ? context : instead);
}

int avcodec_receive_frame(AvContext* context, AvFrame* frame) {
  auto* const receive = real<int(AvContext*, AvFrame*)>(AVCODEC, "avcodec_receive_frame");
  Session* const session = session_of(context);
  if (session == nullptr) {
    return receive(context, frame);
  }
  real<void(AvFrame*)>(AVUTIL, "av_frame_unref")(frame);
  AvFrame* own = real<AvFrame*()>(AVUTIL, "av_frame_alloc")();
  const int answer = receive(session->instead == nullptr ? context : session->instead, own);
  if (answer >= 0) {
    move_to_device(*session, *own, frame);
    ++session->frames;
    const std::lock_guard lock(mutex);
    ++frames_made;
  }
  real<void(AvFrame**)>(AVUTIL, "av_frame_free")(&own);
  return answer;
}

void avcodec_free_context(AvContext** context) {
  auto* const free_context = real<void(AvContext**)>(AVCODEC, "avcodec_free_context");
  {
    std::unique_lock lock(mutex);
    auto found = sessions.extract(*context);
    lock.unlock();  // its memory goes here
    if (!found.empty()) {
      const Current current(found.mapped().pool->context);
      require(driver("cuStreamQuery", found.mapped().stream) != kNotReady,
              "a decoder is freed, with frames that its stream still uses");
      free_context(&found.mapped().instead);  // which may be null
    }
  }
  free_context(context);
}

void ffmpegsim_behave(const char* how) {
  const std::lock_guard lock(mutex);
  behaviour = how;
}

int ffmpegsim_frames() {
  const std::lock_guard lock(mutex);
  return frames_made;
}

// What was done to the library that must not be; the caller has it until the next misuse.
const char* ffmpegsim_misused() { return misused.c_str(); }
}
