/* Windows of a convolution side by side, and their gradients back in place (gather.go). Windows of high x wide pixels, stride
 * apart, over x [batch, h, w, c] with pixels ld apart and pad pixels of zeros around; cols [batch*oh*ow, high*wide*c] with rows
 * ldcols apart.
 * gather_columns: a thread an element of cols, 256 a block along its columns; grid (ceil(high*wide*c/256), windows up to
 * 65535: those beyond follow in strides). gather_back: a thread an element of gx, which adds what the windows hold of it in
 * the order of their pixels (i, j); grid (ceil(w*c/256), batch*h up to 65535). Bound by memory. */
#include "../cuda.h"

#define SHAPE int batch, int h, int w, int c, int high, int wide, int stride, int pad, int oh, int ow

KERNEL __launch_bounds__(256) gather_columns(const float *__restrict__ x, long long ld, float *__restrict__ cols, long long ldcols, SHAPE) {
	int k = blockIdx.x * 256 + threadIdx.x;
	if (k >= high * wide * c)
		return;
	int channel = k % c, j = k / c % wide, i = k / c / wide;
	for (long long window = blockIdx.y; window < (long long)batch * oh * ow; window += gridDim.y) {
		int ox = (int)(window % ow), oy = (int)(window / ow % oh);
		long long b = window / ow / oh;
		int row = oy * stride - pad + i, col = ox * stride - pad + j;
		float v = 0.0f;
		if (row >= 0 && row < h && col >= 0 && col < w)
			v = x[((b * h + row) * w + col) * ld + channel];
		cols[window * ldcols + k] = v;
	}
}

KERNEL __launch_bounds__(256) gather_back(const float *__restrict__ gcols, long long ldcols, float *__restrict__ gx, long long ld, int add, SHAPE) {
	int k = blockIdx.x * 256 + threadIdx.x;
	if (k >= w * c)
		return;
	int channel = k % c, col = k / c;
	for (long long line = blockIdx.y; line < (long long)batch * h; line += gridDim.y) {
		int row = (int)(line % h);
		long long b = line / h;
		float s = 0.0f;
		for (int i = 0; i < high; i++) {
			int y = row + pad - i, oy = y / stride;
			if (y < 0 || oy * stride != y || oy >= oh)
				continue;
			for (int j = 0; j < wide; j++) {
				int at = col + pad - j, ox = at / stride;
				if (at < 0 || ox * stride != at || ox >= ow)
					continue;
				s += gcols[((b * oh + oy) * ow + ox) * ldcols + (long long)(i * wide + j) * c + channel];
			}
		}
		float *p = gx + (line * w + col) * ld + channel;
		*p = add ? *p + s : s;
	}
}
