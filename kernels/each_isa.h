/* Compiles the file SELF (relative to this folder) once for each instruction set, with ISA defined
 * and the vectors of simd.h in its width. */
#if defined(__x86_64__)

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bf16,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#define ISA 2
#include "simd.h"
#include SELF
#undef ISA
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define ISA 1
#include "simd.h"
#include SELF
#undef ISA
#pragma GCC pop_options

#endif

#define ISA 0
#include "simd.h"
#include SELF
#undef ISA
