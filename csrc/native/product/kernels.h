// The product kernels of this build. Another is a file and a line here and in registry.cpp.
#pragma once

#include "csrc/native/product/product.h"

namespace bindrt::native {

extern const ProductKernel kPortableFloat32;
extern const ProductKernel kPortableBf16;
extern const ProductKernel kPortableInt8;
#if defined(__x86_64__)
extern const ProductKernel kAvx2Float32;
extern const ProductKernel kAvx2Bf16;
extern const ProductKernel kAvx2Int8;
extern const ProductKernel kAvxVnniInt8;
extern const ProductKernel kAvx512Float32;
extern const ProductKernel kAvx512Bf16;
extern const ProductKernel kAvx512Bf16Pairs;
extern const ProductKernel kAvx512VnniInt8;
#endif
#if defined(__x86_64__) && defined(__linux__)
extern const ProductKernel kAmxBf16;
extern const ProductKernel kAmxInt8;
#endif
#if defined(__aarch64__)
extern const ProductKernel kNeonFloat32;
extern const ProductKernel kNeonBf16;
#endif
#if defined(__aarch64__) && defined(__linux__)
extern const ProductKernel kNeonMatrixBf16;
extern const ProductKernel kNeonDotInt8;
extern const ProductKernel kNeonI8mmInt8;
#endif

}  // namespace bindrt::native
