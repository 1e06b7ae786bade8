/* The inner kernel for AMX: a tile of 32 x 32 sums over one block of K, in four registers; and what goes on meanwhile. */

/* Packed panels that will be read: tiles ask for each lines of them with every 16 slots. */
struct amx_queue {
	const char *at, *end;
	long each;
};

INLINE void amx_expect(struct amx_queue *q, const float *at, long n, long steps) {
	q->at = (const char *)at, q->end = (const char *)(at + n), q->each = ((n + 15) / 16 + steps - 1) / steps;
}

INLINE void amx_ask(struct amx_queue *q) {
	const char *stop = q->end - q->at > 64 * q->each ? q->at + 64 * q->each : q->end;
	for (; q->at < stop; q->at += 64)
		__builtin_prefetch(q->at, 0, 2);
}

/* What goes on while tiles are computed: packing, asking for memory, and adding the last tile's sums, which come out of the
 * registers late, to those of earlier blocks. */
struct amx_side {
	struct amx_packing pack;
	struct amx_queue queue;
	float *late; /* where the sums waiting belong; NULL: there are none */
	long rows, cols;
	int which; /* of the two, have them */
	float sums[2][32 * 32] __attribute__((aligned(64)));
};

INLINE void amx_add(struct amx_side *s, long from, long to) {
	const float *sums = s->sums[s->which];
	for (long r = from; r < avcu_min(to, s->rows); r++)
		for (long q = 0; q < s->cols; q += VL)
			vstore(s->late + r * 32 + q, vload(s->late + r * 32 + q) + vload(sums + r * 32 + q));
}

static void amx_add_late(struct amx_side *s) {
	if (s->late)
		amx_add(s, 0, 32);
	s->late = NULL;
}

/* The sums of pa x pb parts, at t if it is the first block of K, else to be added to what is there; rows 32 apart. Of the nine
 * products of three pieces with three the six largest are summed, the smallest first. */
INLINE void amx_tile_of(const int pieces, const int pa, const int pb, long kc, const float *a, const float *b, int first, float *t,
                        struct amx_side *side) {
	float *to = first ? t : side->sums[!side->which];
	const long next_a = pa * AMX_AREA, next_b = pb * AMX_AREA; /* from one piece to the next */
	amx_zero();
	for (long k = 0; k < kc; k += 16) {
		amx_ask(&side->queue);
		amx_load_b(b, pb);
		if (pieces == 3) {
			amx_load_a(a + 2 * next_a, pa);
			amx_multiply(pa, pb);
			amx_load_a(a + next_a, pa);
			amx_multiply(pa, pb);
			amx_load_b(b + next_b, pb);
			amx_multiply(pa, pb);
			amx_load_a(a, pa);
			amx_multiply(pa, pb);
			amx_load_b(b + 2 * next_b, pb);
			amx_multiply(pa, pb);
			amx_load_b(b, pb);
		} else {
			amx_load_a(a, pa);
		}
		amx_multiply(pa, pb);
		amx_pack_on(&side->pack, side->pack.each);
		if (side->late)
			amx_add(side, k * 32 / kc, (k + 16) * 32 / kc);
		a += pieces * next_a;
		b += pieces * next_b;
	}
	amx_store(to, pa, pb);
	side->late = first ? NULL : t, side->rows = pa * 16, side->cols = pb * 16;
	side->which ^= !first;
}

static void amx_tile(int pieces, long kc, const float *a, long rows, const float *b, long cols, int first, float *t, struct amx_side *side) {
#define TILE(pieces)                                                 \
	do {                                                             \
		if (rows > 16 && cols > 16)                                  \
			amx_tile_of(pieces, 2, 2, kc, a, b, first, t, side);     \
		else if (rows > 16)                                          \
			amx_tile_of(pieces, 2, 1, kc, a, b, first, t, side);     \
		else if (cols > 16)                                          \
			amx_tile_of(pieces, 1, 2, kc, a, b, first, t, side);     \
		else                                                         \
			amx_tile_of(pieces, 1, 1, kc, a, b, first, t, side);     \
	} while (0)
	if (pieces == 3)
		TILE(3);
	else
		TILE(1);
#undef TILE
}
