/* Dropout masks for C kernels, as engine.Mask defines them. Include it once outside the part that is
 * compiled for each instruction set, for the structure, and once inside (where ISA is defined) for
 *
 *   const float *FN(mask_row)(const struct avcu_mask *m, long row, long from, long n, float *room)
 *
 * which finds what elements from .. from+n-1 of a row are multiplied by. */
#ifndef AVCU_MASK_H
#define AVCU_MASK_H

#include <stdint.h>

struct avcu_mask {
	int train;
	float otherwise;         /* the factor when not training: 1 - rate */
	uint32_t threshold;      /* a drawn word below it drops its element */
	uint32_t key0, key1;     /* low and high half of the seed */
	uint32_t step, layer;
	uint32_t first, column;  /* of row 0 and element 0, in the counter */
	const uint8_t *given;    /* in place of drawing, or NULL */
	long given_ld;
};

enum { AVCU_MASK_SPARE = 96 }; /* floats that room holds beyond n */

#endif

#ifdef ISA

/* Philox4x32-10 for VL/2 counters at once, one in each 64-bit lane, of which only the low half counts:
 * the multiplication reads no more, and gives the high word of the product by a shift and the low word
 * as it is. What the high halves pick up on the way is cut off at the end. */
typedef uint64_t FN(vq_t) __attribute__((vector_size(VL * 4)));
typedef uint32_t FN(vu_t) __attribute__((vector_size(VL * 4)));

INLINE FN(vq_t) FN(mask_multiply)(FN(vq_t) a, uint32_t b) {
#if ISA == 2
	return (FN(vq_t))_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
#elif ISA == 1
	return (FN(vq_t))_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(b));
#else
	return (a & 0xffffffffu) * b;
#endif
}

/* The blocks by lane, so that the even lanes side by side and then the odd ones are in order; and the
 * two shuffles that do it. */
#if ISA == 2
#define MASK_LANES {0, 4, 1, 5, 2, 6, 3, 7}
#define MASK_EVEN {0, 8, 2, 10, 4, 12, 6, 14}
#define MASK_ODD {1, 9, 3, 11, 5, 13, 7, 15}
#elif ISA == 1
#define MASK_LANES {0, 2, 1, 3}
#define MASK_EVEN {0, 4, 2, 6}
#define MASK_ODD {1, 5, 3, 7}
#else
#define MASK_LANES {0, 1}
#define MASK_EVEN {0, 2}
#define MASK_ODD {1, 3}
#endif

/* keep[0 .. 4*blocks-1] becomes 1 or 0 for the elements of blocks of four from number block on. Whole
 * turns of VL blocks are written. */
static void FN(mask_draw)(const struct avcu_mask *m, uint32_t row, uint32_t block, long blocks, float *keep) {
	const FN(vq_t) zero = {0}, lanes = MASK_LANES, low = zero + 0xffffffffu;
	FN(vq_t) keys[20];
	for (uint32_t i = 0; i < 10; i++) {
		keys[2 * i] = zero + (uint32_t)(m->key0 + i * 0x9E3779B9u);
		keys[2 * i + 1] = zero + (uint32_t)(m->key1 + i * 0xBB67AE85u);
	}
	const FN(vu_t) threshold = (FN(vu_t)){0} + m->threshold;
	const vi one = (vi)vset(1.0f);
	for (long i = 0; i < blocks; i += VL, keep += 4 * VL) {
		/* Two groups side by side: one alone would wait for its multiplications. */
		FN(vq_t) a[2] = {lanes + (uint64_t)(block + i), lanes + (uint64_t)(block + i + VL / 2)};
		FN(vq_t) b[2] = {zero + row, zero + row}, c[2] = {zero + m->step, zero + m->step}, d[2] = {zero + m->layer, zero + m->layer};
#pragma GCC unroll 10
		for (int r = 0; r < 10; r++) {
#pragma GCC unroll 2
			for (int k = 0; k < 2; k++) {
				FN(vq_t) p = FN(mask_multiply)(a[k], 0xD2511F53u), q = FN(mask_multiply)(c[k], 0xCD9E8D57u);
				a[k] = (q >> 32) ^ b[k] ^ keys[2 * r];
				b[k] = q;
				c[k] = (p >> 32) ^ d[k] ^ keys[2 * r + 1];
				d[k] = p;
			}
		}
#pragma GCC unroll 2
		for (int k = 0; k < 2; k++) {
			FN(vq_t) ab = (a[k] & low) | b[k] << 32, cd = (c[k] & low) | d[k] << 32;
			FN(vu_t) even = (FN(vu_t))__builtin_shuffle(ab, cd, (FN(vq_t))MASK_EVEN);
			FN(vu_t) odd = (FN(vu_t))__builtin_shuffle(ab, cd, (FN(vq_t))MASK_ODD);
			vstore(keep + 2 * k * VL, (vf)((vi)(even >= threshold) & one));
			vstore(keep + 2 * k * VL + VL, (vf)((vi)(odd >= threshold) & one));
		}
	}
}
#undef MASK_LANES
#undef MASK_EVEN
#undef MASK_ODD

/* The factors of elements from .. from+n-1 of a row, row and from counted within the matrix that m is
 * for: 0 or 1 in training, else 1 - rate. They lie in room, which holds n + AVCU_MASK_SPARE floats; the
 * result is where they begin. */
static const float *FN(mask_row)(const struct avcu_mask *m, long row, long from, long n, float *room) {
	if (!m->train || (!m->given && m->threshold == 0)) {
		vf factor = vset(m->train ? 1.0f : m->otherwise);
		for (long i = 0; i < n; i += VL)
			vstore(room + i, factor);
		return room;
	}
	if (m->given) {
		const uint8_t *given = m->given + row * m->given_ld + from;
		for (long i = 0; i < n; i++)
			room[i] = given[i] ? 1.0f : 0.0f;
		return room;
	}
	uint32_t element = m->column + (uint32_t)from;
	FN(mask_draw)(m, m->first + (uint32_t)row, element / 4, (element % 4 + n + 3) / 4, room);
	return room + element % 4;
}

#endif
