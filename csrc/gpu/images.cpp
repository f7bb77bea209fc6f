// Chooses the compiled kernels that a device can run.
#include "csrc/gpu/images.h"

#include <algorithm>

namespace bindrt::gpu {
namespace {

// Jetson boards: no machine code is shared with cards of the same major version, either way.
bool board(int architecture) { return architecture == 72 || architecture == 87 || architecture == 101; }

}  // namespace

std::string target_text(const Image& image) {
  return (image.kind == ImageKind::kCubin ? "sm_" : "compute_") + std::to_string(image.architecture);
}

bool runs_on(const Image& image, int capability) {
  if (image.kind == ImageKind::kPtx) {
    return image.architecture <= capability;
  }
  if (board(image.architecture) || board(capability)) {
    return image.architecture == capability;
  }
  return image.architecture / 10 == capability / 10 && image.architecture <= capability;
}

std::vector<const Image*> candidates(const KernelSet& kernels, std::string_view module, int capability) {
  std::vector<const Image*> found;
  for (const Image& image : kernels.images) {
    if (image.module == module && runs_on(image, capability)) {
      found.push_back(&image);
    }
  }
  std::sort(found.begin(), found.end(), [](const Image* a, const Image* b) {
    return a->kind != b->kind ? a->kind == ImageKind::kCubin : a->architecture > b->architecture;
  });
  return found;
}

}  // namespace bindrt::gpu
