// A recording's way on the GPU for Python: resampled, means, log-mel spectra.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/mel/mel_gpu.h"
#include "kernels/resample/resample_gpu.h"
#include "tests/cudasim/queue.h"
#include "tests/cudasim/run.h"

using namespace bindrt::cudasim;
using namespace bindrt::kernels;

// `samples` [count, channels] 16-bit at orig : target times 16 kHz (in lowest terms) become `outputs`
// samples; `ranges` [clips][2] are the clips of them. `out` is float32 or float16 [clips, 128, 204].
BINDRT_CUDASIM_C int cudasim_audio(const std::int16_t* samples, std::int64_t count, std::int32_t channels,
                                   std::int64_t orig, std::int64_t target, std::int64_t outputs,
                                   const std::int64_t* ranges, std::int32_t clips, std::int32_t half,
                                   void* out) {
  return guarded([&] {
    SimQueue queue;
    const DeviceArray<std::int16_t> input({samples, samples + count * channels});
    const DeviceArray<float> first(static_cast<std::size_t>(outputs));
    const DeviceArray<float> mean(static_cast<std::size_t>(outputs));
    AudioView view;
    view.samples = input.data();
    view.type = SampleType::kInt16;
    view.channels = channels;
    view.count = count;
    view.sample_stride = channels * static_cast<std::int64_t>(sizeof(std::int16_t));
    view.channel_stride = sizeof(std::int16_t);
    const ResampleRates rates{orig, target};
    const ResampleItem items[] = {{rates, view, 0, 0, outputs, first.data()},
                                  {rates, view, kMeanOfChannels, 0, outputs, mean.data()}};
    resample_gpu(queue, items, 2);
    MelRecording recording;
    recording.first = first.data();
    recording.channels = mean.data();
    recording.clips = clips;
    for (std::int32_t clip = 0; clip < clips; ++clip) {
      recording.ranges[clip] = {ranges[2 * clip], ranges[2 * clip + 1], 0.0};
    }
    const std::size_t size = static_cast<std::size_t>(clips) * kMelBands * 204;
    const DeviceArray<std::uint16_t> batch(size * (half != 0 ? 1 : 2));
    MelOutput output;
    output.out = batch.data();
    output.type = half != 0 ? OutType::kFloat16 : OutType::kFloat32;
    log_mel_gpu(queue, &recording, 1, output);
    copy_from_device(out, batch.data(), batch.size() * sizeof(std::uint16_t));
  });
}
