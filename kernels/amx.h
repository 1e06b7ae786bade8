/* What kernels by AMX share: included beside those for AVX-512, where the compiler knows AMX. */

/* The first n of 16 lanes. */
INLINE __mmask16 amx_lanes(long n) { return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }

/* Of 16 rows that become columns: in each four, 4 x 4 of what lies in a quarter. */
INLINE void amx_turn_four(__m512 *v) {
#define PD(op, a, b) _mm512_castpd_ps(_mm512_unpack##op##_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)))
	const __m512 a = _mm512_unpacklo_ps(v[0], v[1]), b = _mm512_unpackhi_ps(v[0], v[1]);
	const __m512 c = _mm512_unpacklo_ps(v[2], v[3]), d = _mm512_unpackhi_ps(v[2], v[3]);
	v[0] = PD(lo, a, c), v[1] = PD(hi, a, c);
	v[2] = PD(lo, b, d), v[3] = PD(hi, b, d);
#undef PD
}

/* And then, from the i-th of each four, 16 floats apart, the columns i and i+8, or with half i+4 and i+12. */
INLINE void amx_turn_across(const float *v, const int half, __m512 *low, __m512 *high) {
	const __m512 v0 = _mm512_load_ps(v), v4 = _mm512_load_ps(v + 64), v8 = _mm512_load_ps(v + 128), v12 = _mm512_load_ps(v + 192);
	const __m512 a = half ? _mm512_shuffle_f32x4(v0, v4, 0xdd) : _mm512_shuffle_f32x4(v0, v4, 0x88);
	const __m512 b = half ? _mm512_shuffle_f32x4(v8, v12, 0xdd) : _mm512_shuffle_f32x4(v8, v12, 0x88);
	*low = _mm512_shuffle_f32x4(a, b, 0x88), *high = _mm512_shuffle_f32x4(a, b, 0xdd);
}
