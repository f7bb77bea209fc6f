// The product kernels of this build. Another is a file and a line here and in registry.cpp.
#pragma once

#include "csrc/native/product/product.h"

namespace bindrt::native {

extern const ProductKernel kPortableFloat32;
extern const ProductKernel kPortableBf16;
extern const ProductKernel kPortableInt8;

}  // namespace bindrt::native
