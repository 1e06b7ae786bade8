/* The inner kernel for AMX: a tile of 32 x 32 sums over one block of K, in four registers; and what goes on meanwhile. */

/* Registers: 0 to 3 hold 32 x 32 sums, 4 and 5 parts of A, 6 and 7 parts of B, one or two of each. The compiler does not know that
 * they are loaded from memory: what was stored there needs a barrier before. */
INLINE void amx_zero(void) {
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
}

INLINE void amx_load_a(const float *part, long parts) {
	_tile_loadd(4, part, 64);
	if (parts == 2)
		_tile_loadd(5, part + AMX_AREA, 64);
}

INLINE void amx_load_b(const float *part, long parts) {
	_tile_loadd(6, part, 64);
	if (parts == 2)
		_tile_loadd(7, part + AMX_AREA, 64);
}

/* Adds the products of pa parts of A and pb of B. */
INLINE void amx_multiply(long pa, long pb) {
	_tile_dpbf16ps(0, 4, 6);
	if (pb == 2)
		_tile_dpbf16ps(1, 4, 7);
	if (pa == 2)
		_tile_dpbf16ps(2, 5, 6);
	if (pa == 2 && pb == 2)
		_tile_dpbf16ps(3, 5, 7);
}

/* Their sums, to t [32][32]. */
INLINE void amx_store(float *t, long pa, long pb) {
	const long row = 32 * (long)sizeof *t;
	_tile_stored(0, t, row);
	if (pb == 2)
		_tile_stored(1, t + 16, row);
	if (pa == 2)
		_tile_stored(2, t + 16 * 32, row);
	if (pa == 2 && pb == 2)
		_tile_stored(3, t + 16 * 32 + 16, row);
}

enum { AMX_PRODUCTS = 6 }; /* of three pieces with three: those that matter */

/* Packed panels that will be read: with every 16 slots tiles ask for each lines of them. Where memory is gone through in order, the
 * processor foresees the lines between. */
struct amx_queue {
	const char *at, *end;
	long each;
};

enum { AMX_APART = 4 * 64 }; /* bytes between lines asked for */

INLINE void amx_expect(struct amx_queue *q, const float *at, long n, long steps) {
	q->at = (const char *)at, q->end = (const char *)(at + n);
	q->each = (n * (long)sizeof *at / AMX_APART + steps) / steps;
}

INLINE void amx_ask(struct amx_queue *q) {
	for (long i = 0; i < q->each && q->at < q->end; i++, q->at += AMX_APART)
		__builtin_prefetch(q->at, 0, 2);
}

/* What goes on while tiles are computed: packing, asking for memory, and adding the last tile's sums, which come out of the
 * registers late, to those of earlier blocks. */
struct amx_side {
	struct amx_packing pack;
	struct amx_queue queue;
	float *late; /* where the sums waiting belong; NULL: there are none */
	long rows, cols, done; /* of which so many rows are added */
	int which; /* of the two, have them */
	float sums[2][32 * 32] __attribute__((aligned(64)));
};

INLINE void amx_add(struct amx_side *s, long rows) {
	const float *sums = s->sums[s->which];
	for (const long end = avcu_min(s->done + rows, s->rows); s->done < end; s->done++)
		for (long q = 0; q < s->cols; q += VL)
			vstore(s->late + s->done * 32 + q, vload(s->late + s->done * 32 + q) + vload(sums + s->done * 32 + q));
}

static void amx_add_late(struct amx_side *s) {
	if (s->late)
		amx_add(s, 32);
	s->late = NULL;
}

/* A little of it, at each turn. */
INLINE void amx_aside(struct amx_side *s) {
	amx_pack_on(&s->pack);
	if (s->late)
		amx_add(s, 2);
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
			amx_aside(side);
			amx_load_a(a + next_a, pa);
			amx_multiply(pa, pb);
			amx_aside(side);
			amx_load_b(b + next_b, pb);
			amx_multiply(pa, pb);
			amx_aside(side);
			amx_load_a(a, pa);
			amx_multiply(pa, pb);
			amx_aside(side);
			amx_load_b(b + 2 * next_b, pb);
			amx_multiply(pa, pb);
			amx_aside(side);
			amx_load_b(b, pb);
		} else {
			amx_load_a(a, pa);
		}
		amx_multiply(pa, pb);
		amx_aside(side);
		a += pieces * next_a;
		b += pieces * next_b;
	}
	amx_add_late(side);
	amx_store(to, pa, pb);
	side->late = first ? NULL : t, side->rows = pa * 16, side->cols = pb * 16, side->done = 0;
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
