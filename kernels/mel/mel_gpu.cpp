// The host side of the log-mel op on a GPU.
#include "kernels/mel/mel_gpu.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bindrt::kernels {
namespace {

constexpr std::uint32_t kThreads = kMelWarps * 32;

// The recording as the kernels take it: with what is shared, and `channels` only if a mean has an effect.
MelRecording prepare(const MelRecording& recording, std::int64_t columns) {
  MelRecording made = recording;
  made.channels = nullptr;
  MelClip planned[kMostClips];
  plan_clips(recording.ranges, recording.clips, recording.first, columns, planned);  // does not read samples
  for (std::int64_t clip = 0; clip < recording.clips; ++clip) {
    made.shared[clip] = planned[clip].shared;
    if (needs_mean(recording.ranges, recording.clips, clip)) {
      made.channels = recording.channels;
    }
  }
  return made;
}

}  // namespace

void log_mel_gpu(GpuQueue& queue, const MelRecording* recordings, std::int64_t count,
                 const MelOutput& output) {
  if (count <= 0 || output.columns <= 0) {
    return;
  }
  const auto* const tables = static_cast<const MelTables*>(queue.table("mel", [] {
    const auto* const bytes = reinterpret_cast<const std::byte*>(&mel_tables());
    return std::vector<std::byte>(bytes, bytes + sizeof(MelTables));
  }));
  for (std::int64_t begin = 0; begin < count; begin += kMostGridRows) {
    std::vector<MelRecording> made;
    for (std::int64_t i = begin; i < std::min(begin + kMostGridRows, count); ++i) {
      made.push_back(prepare(recordings[i], output.columns));
    }
    const auto rows = static_cast<std::uint32_t>(made.size());
    const MelRecording* const on_device = to_device(queue, made);
    double* means = nullptr;
    if (std::any_of(made.begin(), made.end(), [](const auto& one) { return one.channels != nullptr; })) {
      means = static_cast<double*>(queue.scratch(made.size() * kMostClips * sizeof(double)));
      queue.launch("bindrt_mel_means", {.grid_x = kMostClips, .grid_y = rows, .block_x = kThreads},
                   MelMeansParams{on_device, means});
    }
    const auto tiles = static_cast<std::uint32_t>((output.columns + kMelTile - 1) / kMelTile);
    queue.launch("bindrt_mel", {.grid_x = tiles, .grid_y = rows, .grid_z = kMostClips, .block_x = kThreads},
                 MelParams{tables, on_device, means, output});
  }
}

}  // namespace bindrt::kernels
