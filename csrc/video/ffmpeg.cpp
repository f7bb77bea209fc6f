// Looks up the functions of the FFmpeg that this process has loaded.
#include "csrc/video/ffmpeg.h"

#include <algorithm>
#include <iterator>

#include "kernels/base/loaded_module.h"

namespace bindrt::video {

bool Ffmpeg::find(const char* path) noexcept {
  const kernels::LoadedModule module(path);
  const bool there = module.find("avformat_version", format_version) &&
                     module.find("avcodec_version", codec_version) &&
                     module.find("avutil_version", util_version);
  if (!there) {
    return false;
  }
  const AvVersions versions{format_version() >> 16, codec_version() >> 16, util_version() >> 16};
  const bool known = std::ranges::find(kKnownVersions, versions) != std::end(kKnownVersions);
  return known && module.find("av_find_input_format", find_demuxer) &&
         module.find("avformat_alloc_context", new_format) &&
         module.find("avformat_open_input", open_input) &&
         module.find("avformat_find_stream_info", find_streams) &&
         module.find("avformat_close_input", close_input) &&
         module.find("avformat_free_context", free_format) && module.find("av_read_frame", read) &&
         module.find("av_seek_frame", seek) && module.find("avio_alloc_context", new_io) &&
         module.find("avio_context_free", free_io) && module.find("avcodec_find_decoder", find_decoder) &&
         module.find("avcodec_find_decoder_by_name", find_decoder_named) &&
         module.find("avcodec_descriptor_get", descriptor) &&
         module.find("avcodec_alloc_context3", new_context) &&
         module.find("avcodec_free_context", free_context) &&
         module.find("avcodec_parameters_to_context", set_parameters) && module.find("avcodec_open2", open) &&
         module.find("avcodec_send_packet", send) && module.find("avcodec_receive_frame", receive) &&
         module.find("avcodec_flush_buffers", flush) && module.find("av_packet_alloc", new_packet) &&
         module.find("av_packet_free", free_packet) && module.find("av_packet_unref", clear_packet) &&
         module.find("av_frame_alloc", new_frame) && module.find("av_frame_free", free_frame) &&
         module.find("av_frame_get_side_data", side_data) &&
         module.find("av_display_rotation_get", rotation) &&
         module.find("av_get_pix_fmt_name", format_name) && module.find("av_get_pix_fmt", format_named) &&
         module.find("av_malloc", allocate) && module.find("av_free", free) &&
         module.find("av_dict_set", set_text) && module.find("av_dict_free", free_options) &&
         module.find("av_opt_set_int", set_number) && module.find("av_opt_set_q", set_ratio) &&
         module.find("av_opt_find", find_option) &&
         module.find("avcodec_default_get_format", choose_format) &&
         module.find("av_hwdevice_ctx_alloc", new_device) &&
         module.find("av_hwdevice_ctx_init", start_device) && module.find("av_buffer_unref", release);
}

}  // namespace bindrt::video
