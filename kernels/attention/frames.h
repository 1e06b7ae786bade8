/* What feeds the small products: features as floats, and transposed rows. Included once an instruction
 * set. */

/* VL quantised features as floats: q*4/255 + 4/512 - 2, rounded once. That is p*4/255 - 1/32640 with
 * p = q - 127, and 4/255 is 257/16384 + 1/4177920: p times the first is exact in float32, with or without
 * a fused multiply-add, and the rest is so small that its rounding does not show. A test compares all 256. */
INLINE vf FN(dequantise)(const uint8_t *q) {
	vf p = vbytes(q) - 127.0f;
	return vfma(p, vset(257.0f / 16384), vfma(p, vset(1.0f / 4177920), vset(-1.0f / 32640)));
}

/* VL features from element at on as floats, and the first n < VL of them with zeros behind. */
INLINE vf FN(feature)(const struct avcu_attention *j, long at) {
	return j->bytes ? FN(dequantise)(j->bytes + at) : vload(j->floats + at);
}
INLINE vf FN(few_features)(const struct avcu_attention *j, long at, long n) {
	if (!j->bytes)
		return vloadn(j->floats + at, n);
	uint8_t few[VL] = {0};
	float x[VL];
	memcpy(few, j->bytes + at, (size_t)n);
	vstore(x, FN(dequantise)(few));
	return vloadn(x, n);
}

/* Columns d0 .. d0+n-1 of the frames of one video as floats, in rows of ld floats; the last vector is
 * filled up with zeros. */
static void FN(frames)(const struct avcu_attention *j, long video, long d0, long n, float *out, long ld) {
	long whole = n / VL * VL;
	for (long l = 0; l < j->l; l++, out += ld) {
		long at = (video * j->l + l) * j->ldx + d0;
		if (whole < n)
			vstore(out + whole, whole ? vset(0.0f) : FN(few_features)(j, at, n));
		if (j->bytes)
			for (long k = 0; k < whole; k += VL)
				vstore(out + k, FN(dequantise)(j->bytes + at + k));
		else
			for (long k = 0; k < whole; k += VL)
				vstore(out + k, vload(j->floats + at + k));
		if (whole < n && whole)
			vstore(out + n - VL, FN(feature)(j, at + n - VL));
	}
}

/* Four floats of each of VL rows as four columns. */
#if ISA
INLINE void FN(four_columns)(const float *const *row, long k, float *out) {
#if ISA == 2
#define WIDE(op) _mm512_##op
#define FOUR(r)                                                                                                             \
	_mm512_insertf32x4(_mm512_insertf32x4(_mm512_insertf32x4(_mm512_castps128_ps512(_mm_loadu_ps(row[r] + k)),              \
	                                                         _mm_loadu_ps(row[r + 4] + k), 1),                              \
	                                      _mm_loadu_ps(row[r + 8] + k), 2),                                                 \
	                   _mm_loadu_ps(row[r + 12] + k), 3)
	__m512
#else
#define WIDE(op) _mm256_##op
#define FOUR(r) _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row[r] + k)), _mm_loadu_ps(row[r + 4] + k), 1)
	__m256
#endif
		a = FOUR(0), b = FOUR(1), c = FOUR(2), d = FOUR(3), ab = WIDE(unpacklo_ps)(a, b), cd = WIDE(unpacklo_ps)(c, d);
	vstore(out, (vf)WIDE(shuffle_ps)(ab, cd, 0x44));
	vstore(out + FN(PANEL), (vf)WIDE(shuffle_ps)(ab, cd, 0xEE));
	ab = WIDE(unpackhi_ps)(a, b), cd = WIDE(unpackhi_ps)(c, d);
	vstore(out + 2 * FN(PANEL), (vf)WIDE(shuffle_ps)(ab, cd, 0x44));
	vstore(out + 3 * FN(PANEL), (vf)WIDE(shuffle_ps)(ab, cd, 0xEE));
#undef WIDE
#undef FOUR
}
#endif

/* Rows of n floats, ld apart, as the columns of panels [n][PANEL]. The last vector is filled up with
 * repetitions of the last row. */
static void FN(columns)(const float *src, long ld, long rows, long n, float *out) {
	for (long j = 0; j < rows; j += VL) {
		float *to = out + j / FN(PANEL) * FN(PANEL) * n + j % FN(PANEL);
		const float *row[VL];
		for (long r = 0; r < VL; r++)
			row[r] = src + avcu_min(j + r, rows - 1) * ld;
		long k = 0;
#if ISA
		for (; k + 4 <= n; k += 4)
			FN(four_columns)(row, k, to + k * FN(PANEL));
#endif
		for (; k < n; k++)
			for (long r = 0; r < VL; r++)
				to[k * FN(PANEL) + r] = row[r][k];
	}
}
