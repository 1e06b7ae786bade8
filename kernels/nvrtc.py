#!/usr/bin/env python3
"""Compiles a .cu to PTX by NVRTC (libnvrtc.so.12, found through LD_LIBRARY_PATH): nvrtc.py SOURCE OUTPUT. It needs no driver."""
import ctypes
import os
import sys

source, output = sys.argv[1:]
lib = ctypes.CDLL("libnvrtc.so.12")
program, size = ctypes.c_void_p(), ctypes.c_size_t()
with open(source, "rb") as f:
    lib.nvrtcCreateProgram(ctypes.byref(program), f.read(), source.encode(), 0, None, None)
options = [b"--gpu-architecture=compute_61", b"--std=c++17", b"--fmad=false",
           b"--include-path=" + (os.path.dirname(source) or ".").encode()]
failed = lib.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
if failed:
    lib.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    lib.nvrtcGetProgramLog(program, text)
    sys.exit(text.value.decode())
lib.nvrtcGetPTXSize(program, ctypes.byref(size))
text = ctypes.create_string_buffer(size.value)
lib.nvrtcGetPTX(program, text)
with open(output, "wb") as f:
    f.write(text.value)
