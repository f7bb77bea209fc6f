// Which libraries read pictures.
#include "csrc/prepare/libraries.h"

#include "kernels/base/loaded_module.h"

namespace bindrt::prepare {
namespace {

constinit kernels::LibraryInUse<jpeg::Library> jpeg_in_use;
constinit kernels::LibraryInUse<png::Library> png_in_use;

}  // namespace

const jpeg::Library* jpeg_library() noexcept { return jpeg_in_use.get(); }
const png::Library* png_library() noexcept { return png_in_use.get(); }

void use(const jpeg::Library& library) { jpeg_in_use.use(library); }
void use(const png::Library& library) { png_in_use.use(library); }

}  // namespace bindrt::prepare
