package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// report is all that a run found.
type report struct {
	Machine machine
	Options string
	Checks  []checked
	Timings []timing
	Limits  limits
	Reading []timing
}

// markdown is the report as tables.
func (r *report) markdown() string {
	var b strings.Builder
	r.Machine.write(&b, r.Options)
	r.writeChecks(&b)
	for i, t := range r.Timings {
		if i == 0 || t.Shape != r.Timings[i-1].Shape || t.Job != r.Timings[i-1].Job {
			r.writeTimings(&b, t.Shape, t.Job)
		}
	}
	if len(r.Timings) > 0 {
		b.WriteString("\n" + remarks)
	}
	r.Limits.write(&b)
	r.writeReading(&b)
	return b.String()
}

// remarks hold for all tables of times.
const remarks = `A step is forward, loss, backward and Adam (fluid's rule) with dropout, until the loss is known; inference goes from uint8
features to the 20 highest classes with their probabilities. Medians and quartiles are over all steps of all repetitions. "avcu takes, of its
time" is the median over repetitions of avcu's median to the other's in the same repetition. Memory is the largest resident set of the
process, its libraries and two batches of features included. Where the processor has AMX, avcu's float32 products are that unit's:
every number in three pieces of bfloat16, which together have all of its bits, and of the nine products of pieces the six that matter; what
comes out is as exact as float32's own multiply-adds (kernels/product/amx.h; a test compares both with float64). Attention multiplies the
features' bytes by fixed-point numbers (kernels/attention/amx.h; a test likewise). "without AMX" is by float32's multiply-adds. "malloc tuned" is a malloc that keeps freed memory
(MALLOC_MMAP_MAX_=0, MALLOC_TRIM_THRESHOLD_=1e11) and, in PyTorch, asks for large pages (THP_MEM_ALLOC_ENABLE=1), which is much faster
for programs that take and return gigabytes each step, and which nothing sets by itself. PyTorch's float32 products go through Intel's MKL,
which is slow on AMD processors: in the row "products by oneDNN" those of all linear layers, forward and backward, are oneDNN's
(torch.ops.mkldnn._linear_pointwise in an autograd.Function); attention's pooling is a batched product, which PyTorch gives to MKL alone in
float32. The products of Paddle's dynamic graph go through an MKL of its own, of 2019; its flags for oneDNN change nothing there. By itself
it takes one thread and MKL's slowest code on AMD; the tuned row has all threads and MKL_DEBUG_CPU_TYPE=5, which that old MKL obeys.
`

func (m *machine) write(b *strings.Builder, options string) {
	kind := ""
	if m.Hypervisor {
		kind = ", a virtual machine"
	}
	fmt.Fprintf(b, "Measured on %s by `make bench-peers` (%s) at %s.\n\n", m.Date, options, m.Commit)
	fmt.Fprintf(b, "%s, %d cores, %s of memory%s; instructions:%s; %s; %s. Load average before: %s, after: %s.\n", m.CPU, m.Cores, m.Memory, kind,
		m.Instruction, m.System, m.Compiler, m.LoadBefore, m.LoadAfter)
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
		versions = append(versions, name+" "+m.Versions[name])
	}
	fmt.Fprintf(b, "Versions: %s.\n", strings.Join(versions, ", "))
}

func (r *report) writeChecks(b *strings.Builder) {
	fmt.Fprintf(b, "\n### The same losses from the same weights and inputs\n\n")
	fmt.Fprintf(b, "Evaluation mode, then %d training steps without dropout, whose masks no two programs share; relative differences from avcu float32.\n\n", checkSteps)
	fmt.Fprintf(b, "| shape | contestant | loss in evaluation | first step | last step | off at once (allowed) | off after steps (allowed) | |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n")
	for _, c := range r.Checks {
		if c.Failed != "" {
			fmt.Fprintf(b, "| %s | %s | | | | | | does not run here: %s |\n", c.Shape, c.Name, strings.ReplaceAll(c.Failed, "|", "/"))
			continue
		}
		verdict := "agrees"
		if !c.agrees() {
			verdict = "**differs**"
		}
		fmt.Fprintf(b, "| %s | %s | %.6g | %.6g | %.6g | %.1g (%.0g) | %.1g (%.0g) | %s |\n", c.Shape, c.Name, c.Eval, c.First, c.Last, c.EvalOff, c.AllowedAtOnce,
			c.Off, c.After, verdict)
	}
}

// find is the timing of a contestant.
func (r *report) find(shape, job, name string) (timing, bool) {
	i := slices.IndexFunc(r.Timings, func(t timing) bool { return t.Shape == shape && t.Job == job && t.Name == name })
	if i < 0 {
		return timing{}, false
	}
	return r.Timings[i], true
}

func (r *report) writeTimings(b *strings.Builder, shape, job string) {
	what := map[string]string{"train": "training step", "infer": "inference"}[job]
	ours, hasOurs := r.find(shape, job, "avcu")
	half, hasHalf := r.find(shape, job, "avcu-bf16")
	videos := 0
	var rows [][]string
	for _, k := range contestants {
		t, ok := r.find(shape, job, k.name)
		if !ok {
			continue
		}
		videos = t.Videos
		all := t.all()
		row := []string{k.title, ms(median(all)), ms(quantile(all, 0.25)) + " – " + ms(quantile(all, 0.75)), fmt.Sprintf("%.0f", float64(t.Videos)/median(all)), "", ""}
		if hasOurs && k.name != "avcu" {
			row[4] = fmt.Sprintf("%.2f", ratio(ours, t))
		}
		if hasHalf && k.name != "avcu-bf16" {
			row[5] = fmt.Sprintf("%.2f", ratio(half, t))
		}
		rows = append(rows, append(row, fmt.Sprintf("%d", t.peak()>>20)))
	}
	fmt.Fprintf(b, "\n### %s, %s of %d videos\n\n", shape, what, videos)
	fmt.Fprintf(b, "| | ms | quartiles | videos/s | avcu float32 takes, of its time | avcu bfloat16 takes | peak MB |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, row := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
	products, adam := r.Limits.of(shape, job)
	if products == 0 || !hasOurs {
		return
	}
	limit, mine := products+adam, median(ours.all())
	parts := "the bare products by oneDNN"
	if adam > 0 {
		parts += fmt.Sprintf(", %s, and Adam's bytes, %s", ms(products), ms(adam))
	}
	fmt.Fprintf(b, "| **limit**: %s | %s | | %.0f | %.2f | | |\n", parts, ms(limit), float64(videos)/limit, mine/limit)
	fmt.Fprintf(b, "\navcu float32 reaches %.0f %% of the limit.\n", 100*limit/mine)
}

func (l limits) write(b *strings.Builder) {
	if l.Missing != "" {
		fmt.Fprintf(b, "\nThere is no limit here: %s.\n", l.Missing)
	}
	if len(l.Products) == 0 {
		return
	}
	fmt.Fprintf(b, "\n### Our products beside oneDNN's dnnl_sgemm\n\nTurn by turn in one process. Those of attention are all of a batch's videos: oneDNN does a product a video, "+
		"as many at once as there are threads, on float32 features that lie in cache; our time is the whole kernel's, with features dequantised and softmax.\n\n")
	fmt.Fprintf(b, "| product | of | M × N × K | A, B | ours, ms | oneDNN, ms | ours, GFLOP/s | oneDNN, GFLOP/s | our speed, of oneDNN's |\n| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, p := range l.Products {
		o, d := median(p.Ours), median(p.OneDNN)
		fmt.Fprintf(b, "| %s | %s | %d × %d × %d | %s | %s | %s | %.0f | %.0f | %.0f %% |\n", p.Name, p.Model, p.M, p.N, p.K, p.Op, ms(o), ms(d), p.Flop/o/1e9, p.Flop/d/1e9, 100*d/o)
	}
	b.WriteString("\nMemory moves in a[i] ← a[i] + s·b[i] over as many bytes as a model's weights, gradients and moments take:")
	for i, shape := range slices.Sorted(maps.Keys(l.Triad)) {
		fmt.Fprintf(b, "%s %.1f GB/s (%s)", []string{"", ","}[min(i, 1)], median(l.Triad[shape])/1e9, shape)
	}
	b.WriteString(".\n")
}

func (r *report) writeReading(b *strings.Builder) {
	if len(r.Reading) == 0 {
		return
	}
	fmt.Fprintf(b, "\n### Reading: TFRecords to sampled uint8 batches\n\nThe same shards (%s widths) in warm page cache, one thread, GB of shards a processor second; all deliver the same bytes.\n\n",
		r.Reading[0].Shape)
	fmt.Fprintf(b, "| | GB/s a core | lowest – highest | avcu is faster by |\n| --- | ---: | ---: | ---: |\n")
	for _, k := range readers {
		i := slices.IndexFunc(r.Reading, func(t timing) bool { return t.Name == k.name })
		if i < 0 {
			continue
		}
		mine, speed := r.Reading[0].speeds(), r.Reading[i].speeds()
		fmt.Fprintf(b, "| %s | %.3f | %.3f – %.3f | %.1f |\n", k.title, median(speed), slices.Min(speed), slices.Max(speed), median(mine)/median(speed))
	}
}
