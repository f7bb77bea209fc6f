// The binary interface of libjpeg-turbo with version 62 of its structures (the default, and that of Pillow's
// wheels), as far as reading needs it: we call the very library that Pillow has loaded, without its headers.
// The library checks version and size of `Decompress` itself; tests/csrc/jpeg/test_jpeg_abi.cpp checks every
// place against the headers where those are installed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bindrt::jpeg {

inline constexpr int kVersion = 62;

struct Decompress;

struct ErrorManager {
  void (*error_exit)(Decompress*);               // must not return
  void (*emit_message)(Decompress*, int level);  // level -1: a warning, the data is damaged
  void (*output_message)(Decompress*);
  void (*format_message)(Decompress*, char*);
  void (*reset_error_mgr)(Decompress*);
  int msg_code;
  union {
    int i[8];
    char s[80];
  } msg_parm;
  int trace_level;
  long num_warnings;
  const char* const* jpeg_message_table;
  int last_jpeg_message;
  const char* const* addon_message_table;
  int first_addon_message;
  int last_addon_message;
};

struct SourceManager {
  const std::uint8_t* next_input_byte;
  std::size_t bytes_in_buffer;
  void (*init_source)(Decompress*);
  int (*fill_input_buffer)(Decompress*);
  void (*skip_input_data)(Decompress*, long);
  int (*resync_to_restart)(Decompress*, int);
  void (*term_source)(Decompress*);
};

enum class ColorSpace : int { kUnknown = 0, kGrey = 1, kRgb = 2, kYcc = 3, kCmyk = 4, kYcck = 5 };

struct Decompress {
  ErrorManager* err;
  void* mem;
  void* progress;
  void* client_data;
  int is_decompressor;
  int global_state;

  SourceManager* src;
  unsigned int image_width;
  unsigned int image_height;
  int num_components;
  ColorSpace jpeg_color_space;
  ColorSpace out_color_space;
  unsigned int scale_num, scale_denom;
  double output_gamma;
  int buffered_image;
  int raw_data_out;
  int dct_method;
  int do_fancy_upsampling;
  int do_block_smoothing;
  int quantize_colors;
  int dither_mode;
  int two_pass_quantize;
  int desired_number_of_colors;
  int enable_1pass_quant;
  int enable_external_quant;
  int enable_2pass_quant;

  unsigned int output_width;
  unsigned int output_height;
  int out_color_components;
  int output_components;
  int rec_outbuf_height;
  int actual_number_of_colors;
  void* colormap;
  unsigned int output_scanline;
  int input_scan_number;
  unsigned int input_imcu_row;
  int output_scan_number;
  unsigned int output_imcu_row;
  void* coef_bits;

  void* quant_tables[4];
  void* dc_huffman_tables[4];
  void* ac_huffman_tables[4];
  int data_precision;
  void* comp_info;
  int progressive_mode;
  int arith_code;
  std::uint8_t arith_dc_l[16];
  std::uint8_t arith_dc_u[16];
  std::uint8_t arith_ac_k[16];
  unsigned int restart_interval;
  int saw_jfif_marker;
  std::uint8_t jfif_major_version;
  std::uint8_t jfif_minor_version;
  std::uint8_t density_unit;
  std::uint16_t x_density;
  std::uint16_t y_density;
  int saw_adobe_marker;
  std::uint8_t adobe_transform;
  int ccir601_sampling;
  void* marker_list;

  int max_h_samp_factor;
  int max_v_samp_factor;
  int min_dct_scaled_size;
  unsigned int total_imcu_rows;
  void* sample_range_limit;
  int comps_in_scan;
  void* cur_comp_info[4];
  unsigned int mcus_per_row;
  unsigned int mcu_rows_in_scan;
  int blocks_in_mcu;
  int mcu_membership[10];
  int ss, se, ah, al;
  int unread_marker;
  void* parts[11];  // private to the library
};

}  // namespace bindrt::jpeg
