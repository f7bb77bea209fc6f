// One function a binding file; module.cpp calls them all.
#pragma once

#include <pybind11/pybind11.h>

namespace bindrt {

void bind_arrays(pybind11::module_& module);
void bind_constants(pybind11::module_& module);
void bind_cores(pybind11::module_& module);
void bind_film(pybind11::module_& module);
void bind_gpu(pybind11::module_& module);
void bind_inbox(pybind11::module_& module);
void bind_jpeg(pybind11::module_& module);
void bind_json_numbers(pybind11::module_& module);
void bind_mel_store(pybind11::module_& module);
void bind_native_encoder(pybind11::module_& module);
void bind_native_kernels(pybind11::module_& module);
void bind_owned(pybind11::module_& module);
void bind_pillow(pybind11::module_& module);
void bind_pipeline(pybind11::module_& module);
void bind_png(pybind11::module_& module);
void bind_prepare(pybind11::module_& module);
void bind_text(pybind11::module_& module);
void bind_sound(pybind11::module_& module);
void bind_sound_track(pybind11::module_& module);

// The GPU kernels of this build: compiler, targets, bytes, names; None if it has none.
pybind11::object gpu_kernels();

}  // namespace bindrt
