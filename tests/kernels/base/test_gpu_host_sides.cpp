// Host sides of ops on more items than a launch has rows of blocks: each launch within the driver's limit,
// and all items in one of them. What the launches are told is looked at; nothing runs.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kernels/imu/imu_gpu.h"
#include "kernels/imu/imu_params.h"
#include "kernels/map/depth_gpu.h"
#include "kernels/map/map_square_gpu.h"
#include "kernels/map/map_square_params.h"
#include "kernels/video/video_gpu.h"
#include "kernels/video/video_params.h"
#include "tests/cpp/check.h"

namespace bindrt::kernels {
namespace {

constexpr std::int64_t kItems = 2 * kMostGridRows + 3;

struct Launch {
  std::string kernel;
  LaunchShape shape;
  std::vector<std::byte> params;

  template <class Params>
  Params as() const {
    Params read;
    CHECK(params.size() == sizeof(Params));
    std::memcpy(&read, params.data(), sizeof(Params));
    return read;
  }
};

// Notes launches; its memory is the host's.
class Notes final : public GpuQueue {
 public:
  using GpuQueue::launch;
  void* scratch(std::size_t bytes) override {
    memory_.push_back(std::make_unique<std::byte[]>(bytes));
    return memory_.back().get();
  }
  void upload(void* device, const void* host, std::size_t bytes) override {
    ++uploads;
    std::memcpy(device, host, bytes);
  }
  void launch(const char* kernel, const LaunchShape& shape, const void* params, std::size_t bytes) override {
    CHECK(shape.grid_y <= 65535 && shape.grid_z <= 65535);
    const auto* const begin = static_cast<const std::byte*>(params);
    launches.push_back({kernel, shape, {begin, begin + bytes}});
  }

  std::vector<Launch> of(const std::string& kernel) const {
    std::vector<Launch> found;
    for (const Launch& each : launches) {
      if (each.kernel == kernel) {
        found.push_back(each);
      }
    }
    return found;
  }

  std::vector<Launch> launches;
  int uploads = 0;

 private:
  std::vector<std::unique_ptr<std::byte[]>> memory_;
};

void test_imu() {
  Notes queue;
  const std::vector<float> numbers(12);
  const ImuRecording one{{numbers.data(), ImuSamples::Type::kFloat32, 2, 2, 1},
                         {ImuTimes::Type::kRate, 400.0, nullptr}};
  std::vector<ImuRecording> many(kItems, one);
  for (std::int64_t i = 0; i < kItems; ++i) {
    many[static_cast<std::size_t>(i)].times.rate = static_cast<double>(i);
  }
  ImuOptions options{};
  options.out_type = OutType::kFloat16;
  std::vector<std::uint32_t> bad(kItems);
  std::vector<std::uint16_t> out(8);  // only its address is used
  imu_grid_gpu(queue, many.data(), kItems, options, bad.data(), out.data());
  std::int64_t first = 0;
  for (const Launch& launch : queue.of("bindrt_imu_grid")) {
    const auto params = launch.as<ImuParams>();
    CHECK(params.items[0].rate == static_cast<double>(first));
    CHECK(params.not_finite == bad.data() + first);
    CHECK(params.out == reinterpret_cast<std::byte*>(out.data()) + 2 * first * kImuChannels * kImuSteps);
    first += launch.shape.grid_y;
  }
  CHECK(first == kItems);
  std::int64_t checked = 0;
  for (const Launch& launch : queue.of("bindrt_imu_check")) {
    CHECK(launch.as<ImuParams>().items[0].rate == static_cast<double>(checked));
    checked += launch.shape.grid_x;
  }
  CHECK(checked == kItems);
}

void test_video() {
  Notes queue;
  std::vector<CropTarget> targets(kItems);
  for (std::int64_t i = 0; i < kItems; ++i) {
    targets[static_cast<std::size_t>(i)].place = i;
  }
  CropRequest request{};
  request.frame.width = request.frame.height = 224;
  request.targets = targets.data();
  request.target_count = kItems;
  video_crops_gpu(queue, &request, 1);
  std::int64_t first = 0;
  for (const Launch& launch : queue.of("bindrt_video_crops")) {
    CHECK(launch.as<CropParams>().items[0].place == first);
    first += launch.shape.grid_y;
  }
  CHECK(first == kItems);
}

void test_maps() {
  Notes queue;
  std::vector<MapItem> items(kItems);
  std::vector<unsigned long long> missing(kItems);
  for (std::int64_t i = 0; i < kItems; ++i) {
    MapItem& item = items[static_cast<std::size_t>(i)];
    item.gain = static_cast<double>(i);
    item.down.inputs = item.map.height = 7;
    item.missing = missing.data() + i;
  }
  float out = 0.0F;  // only its address is used
  launch_map_squares(queue, items, OutType::kFloat32, &out);
  for (const char* const kernel : {"bindrt_depth_missing", "bindrt_map_across", "bindrt_map_down"}) {
    std::int64_t first = 0;
    for (const Launch& launch : queue.of(kernel)) {
      const auto params = launch.as<MapSquareParams>();
      CHECK(params.items[0].gain == static_cast<double>(first));
      CHECK(params.out == reinterpret_cast<std::byte*>(&out) + 4 * first * kPictureSide * kPictureSide);
      first += launch.shape.grid_y;
    }
    CHECK(first == kItems);
  }
}

// A table an axis of each size, whatever the number of maps; then the items, and zeros for what is counted.
void test_maps_of_one_size_share_their_tables() {
  const std::vector<float> pixels(320 * 300);
  std::vector<Map> maps(64, Map{pixels.data(), MapType::kFloat32, 320, 240, 320 * 4});
  for (std::size_t i = 0; i < maps.size(); i += 2) {
    maps[i].height = 300;
  }
  const std::vector<DepthOptions> options(maps.size());
  std::vector<unsigned long long> missing(maps.size());
  std::vector<float> out(1);
  Notes queue;
  depth_squares_gpu(queue, maps.data(), options.data(), 64, missing.data(), out.data());
  CHECK(queue.uploads == 2 * 2 + 2);
  const auto params = queue.of("bindrt_map_down").front().as<MapSquareParams>();
  for (std::size_t i = 2; i < maps.size(); ++i) {
    CHECK(params.items[i].across.weights == params.items[i % 2].across.weights);
    CHECK(params.items[i].middle != params.items[i % 2].middle);
  }
  CHECK(params.items[0].down.weights != params.items[1].down.weights);
}

}  // namespace
}  // namespace bindrt::kernels

int main() {
  bindrt::kernels::test_imu();
  bindrt::kernels::test_video();
  bindrt::kernels::test_maps();
  bindrt::kernels::test_maps_of_one_size_share_their_tables();
  return bindrt::testing::finish();
}
