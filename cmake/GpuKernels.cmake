# bindrt_embed_kernels(TARGET SOURCES...): compiles .cu files with NVRTC and embeds the result in a target, which
# then defines bindrt::gpu::embedded_kernels() (csrc/gpu/images.h). Where there is no NVRTC, or BINDRT_CUDA is
# off, the set is empty and the GPU unused. BINDRT_ARCHITECTURES, a list of numbers such as 89, replaces those that
# the wheel has.
set(BINDRT_CUDA "auto" CACHE STRING "GPU kernels: 'auto' (if NVRTC is found), 'on' (must be) or 'off'")
set_property(CACHE BINDRT_CUDA PROPERTY STRINGS auto on off)

function(bindrt_find_nvrtc result)
  set(${result} "" PARENT_SCOPE)
  if(BINDRT_CUDA STREQUAL "off")
    message(STATUS "GPU kernels: off")
    return()
  endif()
  execute_process(COMMAND "${Python_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/tools/compile_kernels.py" find
    OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE code)
  if(code EQUAL 0)
    message(STATUS "GPU kernels: ${found}")
    set(${result} "${found}" PARENT_SCOPE)
  elseif(BINDRT_CUDA STREQUAL "on")
    message(FATAL_ERROR "BINDRT_CUDA is on, but ${Python_EXECUTABLE} does not find NVRTC: "
      "pip install nvidia-cuda-nvrtc-cu12")
  else()
    message(STATUS "GPU kernels: none, NVRTC (nvidia-cuda-nvrtc-cu12) is not installed")
  endif()
endfunction()

function(bindrt_embed_kernels target)
  bindrt_find_nvrtc(nvrtc)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}_kernels")
  file(MAKE_DIRECTORY "${folder}")
  set(tool "${PROJECT_SOURCE_DIR}/tools/compile_kernels.py")
  set(tools "${tool}" "${PROJECT_SOURCE_DIR}/tools/nvrtc.py")
  # Another compiler means compiling anew; the file changes only with its content.
  file(CONFIGURE OUTPUT "${folder}/compiler.txt" CONTENT "${nvrtc}\n" @ONLY)
  set(modules "")
  list(TRANSFORM BINDRT_ARCHITECTURES PREPEND "--architecture=" OUTPUT_VARIABLE architectures)
  if(nvrtc)
    foreach(source IN LISTS ARGN)
      get_filename_component(name "${source}" NAME_WE)
      set(module "${folder}/${name}.zip")
      add_custom_command(OUTPUT "${module}"
        COMMAND "${Python_EXECUTABLE}" "${tool}" compile "${source}" -o "${module}" --depfile "${module}.d" ${architectures}
        DEPENDS "${source}" ${tools} "${folder}/compiler.txt" DEPFILE "${module}.d"
        COMMENT "NVRTC: ${name}.cu" VERBATIM)
      list(APPEND modules "${module}")
    endforeach()
  endif()
  add_custom_command(OUTPUT "${folder}/images.bin" "${folder}/images.cpp"
    COMMAND "${Python_EXECUTABLE}" "${tool}" pack -o "${folder}/images.bin" --table "${folder}/images.cpp" ${modules}
    DEPENDS ${modules} ${tools} "${folder}/compiler.txt" VERBATIM)
  target_sources(${target} PRIVATE "${folder}/images.cpp")
  set_source_files_properties("${folder}/images.cpp" PROPERTIES OBJECT_DEPENDS "${folder}/images.bin")
endfunction()
