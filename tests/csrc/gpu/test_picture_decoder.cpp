// Pictures that a stand-in decodes on a device, whose driver is the program's argument: the rows are the
// CPU's, whatever else waits, is refused or fails. A file is the size and the raw pixels.
#include <algorithm>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "csrc/gpu/picture_decoder.h"
#include "kernels/image/image.h"
#include "tests/cpp/check.h"

namespace bindrt::gpu {
namespace {

using kernels::Decoded;
using kernels::EncodedPicture;

constexpr std::int32_t kFrames = 2;
constexpr std::size_t kRow = std::size_t{3} * kFrames * kernels::kPictureSide * kernels::kPictureSide;

// The image op's kernels: as NVRTC compiled them, or as far as the simulated driver reads them.
const KernelSet& image_kernels() {
  static const std::string entry =
      "(.param .align 8 .b8 p[" + std::to_string(sizeof(kernels::ImageParams)) + "]) {}\n";
  static const std::string ptx = ".version 8.4\n.target sm_75\n.visible .entry bindrt_image_across" + entry +
                                 ".visible .entry bindrt_image_down" + entry;
  static const Image images[] = {
      {"image", ImageKind::kPtx, 75, {reinterpret_cast<const std::byte*>(ptx.c_str()), ptx.size() + 1}}};
  static const KernelName names[] = {{"bindrt_image_across", "image"}, {"bindrt_image_down", "image"}};
  static const KernelSet by_hand{"by hand", images, names};
  return embedded_kernels().images.empty() ? by_hand : embedded_kernels();
}

struct File {
  explicit File(std::int32_t w, std::int32_t h, unsigned seed) : width(w), height(h) {
    std::mt19937 random(seed);
    bytes.resize(static_cast<std::size_t>(3 * w * h));
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::uint8_t>(random()); });
  }
  EncodedPicture picture() const { return {bytes.data(), bytes.size(), width, height}; }
  std::vector<float> row() const {
    std::vector<float> out(kRow);
    CHECK(kernels::image_to_input(
        {bytes.data(), width, height, 3 * std::int64_t{width}, kernels::PixelLayout::kRgb},
        kernels::kClipScale, kernels::kPictureSide, kernels::OutType::kFloat32, out.data(), 1, kFrames));
    return out;
  }

  std::int32_t width, height;
  std::vector<std::uint8_t> bytes;
};

// Decodes on a stream of its own: the caller's waits for it. Rows have a gap between them.
class Library {
 public:
  explicit Library(Context& context) : context_(context) {}

  std::atomic<bool> fails{false};
  std::atomic<int> refuses{0};  // pictures of this width
  std::atomic<int> groups{0}, held{0};

  std::shared_ptr<const void> decode(std::span<const EncodedPicture> files, cu::Stream stream,
                                     std::span<DevicePicture> out) {
    CHECK(!files.empty() && files.size() == out.size() && files.size() <= PictureDecoder::kMostPictures);
    ++groups;
    if (fails) {
      throw std::runtime_error("the library fails");
    }
    auto owner = std::make_shared<Owner>(context_, *this);
    Stream own(context_);
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (files[i].width == refuses) {
        continue;
      }
      const std::int64_t row = 3 * std::int64_t{files[i].width};
      const std::int64_t stride = row + 5;
      DeviceMemory& memory =
          owner->memory.emplace_back(context_, static_cast<std::size_t>(stride * files[i].height));
      for (std::int64_t y = 0; y < files[i].height; ++y) {
        context_.call(
            "decoding", &cu::Api::copy_to_device, memory.address() + static_cast<cu::Pointer>(y * stride),
            static_cast<const void*>(files[i].data + y * row), static_cast<std::size_t>(row), own.handle());
      }
      out[i] = {memory.address(), stride};
    }
    owner->decoded.record(own);
    Stream(context_, stream).wait_for(owner->decoded);
    return owner;
  }

 private:
  struct Owner {
    Owner(Context& context, Library& of) : decoded(context), library(of) { ++library.held; }
    ~Owner() { --library.held; }
    std::vector<DeviceMemory> memory;
    Event decoded;
    Library& library;
  };

  Context& context_;
};

struct World {
  explicit World(Context& of, std::size_t most_rows = PictureDecoder::kMostRows)
      : context(of),
        library(of),
        decoder(
            of, kFrames,
            [this](auto files, cu::Stream stream, auto out) { return library.decode(files, stream, out); },
            most_rows) {}

  // Whether the row is the CPU's, as it comes back, and as a batch gets it.
  bool is_row_of(const Decoded& decoded, const File& file) const {
    const std::vector<float> want = file.row();
    std::vector<float> got(kRow), in_batch(kRow);
    if (!decoded.make(got.data())) {
      return false;
    }
    StreamQueue queue(context);
    void* const row = queue.scratch(kRow * sizeof(float));
    const Decoded* const item = &decoded;
    decoded.queue(queue, std::span(&item, 1), kernels::OutType::kFloat32, row);
    queue.download(in_batch.data(), row, kRow * sizeof(float));
    queue.wait();
    return got == want && in_batch == want;
  }

  Context& context;
  Library library;
  PictureDecoder decoder;
};

void test_rows_are_the_cpus(Context& context) {
  CHECK(PictureDecoder::frames_of(static_cast<std::int64_t>(kRow * sizeof(float))) == kFrames);
  CHECK(PictureDecoder::frames_of(100) == 0);
  World world(context);
  for (const auto& [width, height] : {std::pair{300, 260}, {31, 40}}) {
    const File file(width, height, 1);
    const auto decoded = world.decoder.decode(file.picture());
    CHECK(decoded != nullptr && world.is_row_of(*decoded, file));
    CHECK(world.library.held == 0);  // the picture is gone, its row is not
  }
}

void test_many_threads(Context& context) {
  World world(context);
  world.library.refuses = 25;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&world, thread] {
      for (int i = 0; i < 2; ++i) {
        const File file(thread == 3 ? 25 : 30 + thread, 24, static_cast<unsigned>(10 * thread + i));
        const auto decoded = world.decoder.decode(file.picture());
        CHECK(thread == 3 ? decoded == nullptr : decoded != nullptr && world.is_row_of(*decoded, file));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(world.library.groups >= 2 && world.library.groups <= 8);
  CHECK(world.library.held == 0);
}

void test_what_fails(Context& context) {
  World world(context, std::size_t{6} << 20);  // for four rows, with what is rounded up
  const File file(30, 24, 3);
  world.library.fails = true;
  CHECK(world.decoder.decode(file.picture()) == nullptr);
  world.library.fails = false;
  std::vector<std::shared_ptr<const Decoded>> kept;
  while (kept.size() < 10) {  // more rows than there may be
    auto decoded = world.decoder.decode(file.picture());
    if (decoded == nullptr) {
      break;
    }
    kept.push_back(std::move(decoded));
  }
  CHECK(kept.size() == 4);
  kept.resize(1);
  CHECK(world.is_row_of(*kept[0], file));
  const auto again = world.decoder.decode(file.picture());
  CHECK(again != nullptr && world.is_row_of(*again, file));
}

int run(const char* library) {
  const Driver driver(library);
  if (!driver.usable()) {
    std::fprintf(stderr, "%s\n", driver.problem().c_str());
    return 1;
  }
  Context context(driver, 0, image_kernels());
  test_rows_are_the_cpus(context);
  test_many_threads(context);
  test_what_fails(context);
  return testing::finish();
}

}  // namespace
}  // namespace bindrt::gpu

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: test_picture_decoder LIBCUDA\n");
    return 2;
  }
  return bindrt::gpu::run(arguments[1]);
}
