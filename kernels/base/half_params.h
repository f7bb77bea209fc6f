// The struct of the conversion to binary16 that host and device share.
#pragma once

#include "kernels/base/portable.h"

namespace bindrt::kernels {

struct HalfParams {
  const float* from;
  std::uint16_t* to;
  std::int64_t count;
};

}  // namespace bindrt::kernels
