/* Dropout masks as engine.Mask defines them, for every kernel that drops: the element in row r and column c is kept if word
 * c%4 (c counted from the whole matrix' first column) of Philox4x32-10 with counter (c/4, row, step, layer) and the seed as
 * key is at least the threshold. Kernels take MASK_PARAMETERS and make MASK of them. */
#ifndef AVCU_MASK_CUH
#define AVCU_MASK_CUH

#include "../cuda.h"

enum { MASK_FACTOR, MASK_DRAWN, MASK_GIVEN };

struct dropout_mask {
	int mode;
	float factor;                  /* of every element, with MASK_FACTOR */
	unsigned threshold, key0, key1, step, layer;
	unsigned first, column;        /* of row 0 and element 0, in the counter */
	const unsigned char *given;    /* with MASK_GIVEN: 0 drops */
	long long given_ld;
};

#define MASK_PARAMETERS                                                                                                  \
	int mode, float factor, unsigned threshold, unsigned key0, unsigned key1, unsigned mask_step, unsigned layer,        \
	    unsigned mask_first, unsigned mask_column, const unsigned char *__restrict__ given, long long given_ld
#define MASK                                                                                     \
	{                                                                                            \
		mode, factor, threshold, key0, key1, mask_step, layer, mask_first, mask_column, given, given_ld \
	}

struct philox_block {
	unsigned word[4];
};

/* Ten rounds of Philox4x32 (Salmon et al., SC 2011). */
DEVICE philox_block philox(unsigned c0, unsigned c1, unsigned c2, unsigned c3, unsigned k0, unsigned k1) {
#pragma unroll
	for (int i = 0; i < 10; i++) {
		unsigned lo0 = c0 * 0xD2511F53u, hi0 = __umulhi(c0, 0xD2511F53u);
		unsigned lo1 = c2 * 0xCD9E8D57u, hi1 = __umulhi(c2, 0xCD9E8D57u);
		c0 = hi1 ^ c1 ^ k0;
		c1 = lo1;
		c2 = hi0 ^ c3 ^ k1;
		c3 = lo0;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	philox_block b = {{c0, c1, c2, c3}};
	return b;
}

/* What the element in row r and column c is multiplied by. */
DEVICE float mask_of(const dropout_mask &m, unsigned r, unsigned c) {
	if (m.mode == MASK_FACTOR)
		return m.factor;
	if (m.mode == MASK_GIVEN)
		return m.given[r * m.given_ld + c] ? 1.0f : 0.0f;
	unsigned e = m.column + c;
	philox_block b = philox(e / 4, m.first + r, m.step, m.layer, m.key0, m.key1);
	unsigned lo = e & 1 ? b.word[1] : b.word[0], hi = e & 1 ? b.word[3] : b.word[2];
	return (e & 2 ? hi : lo) >= m.threshold ? 1.0f : 0.0f;
}

/* The factors of columns c to c+3, of one block where m.column and c are multiples of 4. */
DEVICE float4 mask_of4(const dropout_mask &m, unsigned r, unsigned c) {
	if (m.mode == MASK_FACTOR)
		return make_float4(m.factor, m.factor, m.factor, m.factor);
	if (m.mode == MASK_GIVEN || m.column % 4)
		return make_float4(mask_of(m, r, c), mask_of(m, r, c + 1), mask_of(m, r, c + 2), mask_of(m, r, c + 3));
	philox_block b = philox((m.column + c) / 4, m.first + r, m.step, m.layer, m.key0, m.key1);
	return make_float4(b.word[0] >= m.threshold ? 1.0f : 0.0f, b.word[1] >= m.threshold ? 1.0f : 0.0f,
	                   b.word[2] >= m.threshold ? 1.0f : 0.0f, b.word[3] >= m.threshold ? 1.0f : 0.0f);
}

#endif
