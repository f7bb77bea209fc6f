// csrc/jpeg/abi.h against the real headers of libjpeg-turbo, where they are installed and of that version.
#include <cstddef>
#include <cstdint>

#include "csrc/jpeg/abi.h"
#include "tests/cpp/check.h"

#if __has_include(<jpeglib.h>)
#include <jpeglib.h>

#include <cstdio>
#endif

#if defined(JPEG_LIB_VERSION) && JPEG_LIB_VERSION == 62

namespace {

using bindrt::jpeg::ColorSpace;
using bindrt::jpeg::Decompress;
using bindrt::jpeg::ErrorManager;
using bindrt::jpeg::SourceManager;

#define SAME_PLACE(Ours, our_field, Theirs, their_field)              \
  CHECK(offsetof(Ours, our_field) == offsetof(Theirs, their_field) && \
        sizeof(Ours::our_field) == sizeof(Theirs::their_field))

void decompress() {
  CHECK(sizeof(Decompress) == sizeof(jpeg_decompress_struct));
  CHECK(alignof(Decompress) == alignof(jpeg_decompress_struct));
  SAME_PLACE(Decompress, err, jpeg_decompress_struct, err);
  SAME_PLACE(Decompress, client_data, jpeg_decompress_struct, client_data);
  SAME_PLACE(Decompress, src, jpeg_decompress_struct, src);
  SAME_PLACE(Decompress, image_width, jpeg_decompress_struct, image_width);
  SAME_PLACE(Decompress, image_height, jpeg_decompress_struct, image_height);
  SAME_PLACE(Decompress, num_components, jpeg_decompress_struct, num_components);
  SAME_PLACE(Decompress, jpeg_color_space, jpeg_decompress_struct, jpeg_color_space);
  SAME_PLACE(Decompress, out_color_space, jpeg_decompress_struct, out_color_space);
  SAME_PLACE(Decompress, output_gamma, jpeg_decompress_struct, output_gamma);
  SAME_PLACE(Decompress, dct_method, jpeg_decompress_struct, dct_method);
  SAME_PLACE(Decompress, do_fancy_upsampling, jpeg_decompress_struct, do_fancy_upsampling);
  SAME_PLACE(Decompress, enable_2pass_quant, jpeg_decompress_struct, enable_2pass_quant);
  SAME_PLACE(Decompress, output_width, jpeg_decompress_struct, output_width);
  SAME_PLACE(Decompress, output_height, jpeg_decompress_struct, output_height);
  SAME_PLACE(Decompress, output_components, jpeg_decompress_struct, output_components);
  SAME_PLACE(Decompress, output_scanline, jpeg_decompress_struct, output_scanline);
  SAME_PLACE(Decompress, coef_bits, jpeg_decompress_struct, coef_bits);
  SAME_PLACE(Decompress, quant_tables, jpeg_decompress_struct, quant_tbl_ptrs);
  SAME_PLACE(Decompress, data_precision, jpeg_decompress_struct, data_precision);
  SAME_PLACE(Decompress, progressive_mode, jpeg_decompress_struct, progressive_mode);
  SAME_PLACE(Decompress, restart_interval, jpeg_decompress_struct, restart_interval);
  SAME_PLACE(Decompress, x_density, jpeg_decompress_struct, X_density);
  SAME_PLACE(Decompress, marker_list, jpeg_decompress_struct, marker_list);
  SAME_PLACE(Decompress, max_h_samp_factor, jpeg_decompress_struct, max_h_samp_factor);
  SAME_PLACE(Decompress, min_dct_scaled_size, jpeg_decompress_struct, min_DCT_scaled_size);
  SAME_PLACE(Decompress, sample_range_limit, jpeg_decompress_struct, sample_range_limit);
  SAME_PLACE(Decompress, mcu_membership, jpeg_decompress_struct, MCU_membership);
  SAME_PLACE(Decompress, unread_marker, jpeg_decompress_struct, unread_marker);
  CHECK(offsetof(Decompress, parts) == offsetof(jpeg_decompress_struct, master));
}

void error_and_source() {
  CHECK(sizeof(ErrorManager) == sizeof(jpeg_error_mgr));
  SAME_PLACE(ErrorManager, error_exit, jpeg_error_mgr, error_exit);
  SAME_PLACE(ErrorManager, emit_message, jpeg_error_mgr, emit_message);
  SAME_PLACE(ErrorManager, output_message, jpeg_error_mgr, output_message);
  SAME_PLACE(ErrorManager, msg_parm, jpeg_error_mgr, msg_parm);
  SAME_PLACE(ErrorManager, num_warnings, jpeg_error_mgr, num_warnings);
  SAME_PLACE(ErrorManager, last_addon_message, jpeg_error_mgr, last_addon_message);
  CHECK(sizeof(SourceManager) == sizeof(jpeg_source_mgr));
  SAME_PLACE(SourceManager, next_input_byte, jpeg_source_mgr, next_input_byte);
  SAME_PLACE(SourceManager, bytes_in_buffer, jpeg_source_mgr, bytes_in_buffer);
  SAME_PLACE(SourceManager, fill_input_buffer, jpeg_source_mgr, fill_input_buffer);
  SAME_PLACE(SourceManager, skip_input_data, jpeg_source_mgr, skip_input_data);
  SAME_PLACE(SourceManager, resync_to_restart, jpeg_source_mgr, resync_to_restart);
  SAME_PLACE(SourceManager, term_source, jpeg_source_mgr, term_source);
}

void numbers() {
  CHECK(static_cast<int>(ColorSpace::kGrey) == JCS_GRAYSCALE);
  CHECK(static_cast<int>(ColorSpace::kRgb) == JCS_RGB);
  CHECK(static_cast<int>(ColorSpace::kYcc) == JCS_YCbCr);
  CHECK(bindrt::jpeg::kVersion == JPEG_LIB_VERSION);
}

}  // namespace

int main() {
  decompress();
  error_and_source();
  numbers();
  return bindrt::testing::finish();
}

#else

int main() {
  CHECK(sizeof(bindrt::jpeg::Decompress) > 0);  // no headers to compare with
  return bindrt::testing::finish();
}

#endif
