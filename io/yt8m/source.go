package yt8m

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// Sizes of a Source that no one needs to choose.
const (
	defaultShuffle = 1 << 16   // records shuffled together: some 45 shards of the second release
	heldBytes      = 256 << 20 // bytes of compressed files' records, decompressed, that wait in the shuffle buffer
	openFiles      = 64        // files kept open between records
	batchRing      = 3         // batches: one with the caller, one ready, one being filled
)

// A Config says what a Source reads and how.
type Config struct {
	Files          []string // in their order; TFRecords, compressed ones and pickles are told apart by content
	FeatureNames   []string
	FeatureDims    []int  // bytes of one frame of each feature
	Frames         int    // L, frames sampled from each video
	Classes        int    // labels lie in [0, Classes); 0: any label that is not negative
	BatchSize      int    // most videos in a batch
	Readers        int    // goroutines that read and decode; 0: the number of processors, at most 8
	Shuffle        bool   // files and records in a random order, another one each epoch; else as given
	ShuffleBuffer  int    // records shuffled together; 0: 65,536. Of compressed files at most 256 MiB of data
	Seed           uint64 // of the order, and of the frames drawn
	RandomSampling bool   // frames are drawn anew each epoch; else the middle of each stretch
	MaxFrames      int    // frames after these are left out of a TFRecord; 0: DefaultMaxFrames, negative: all frames count
}

// ErrNoVideo is the error of an input that holds no video at all.
var ErrNoVideo = errors.New("no video in the whole input: check the data that is named")

var errClosed = errors.New("yt8m: the source is closed")

// A Source reads files of videos and delivers batches of sampled frames, epoch by epoch. The order of the videos is a
// function of the seed, the epoch and the list of files; the frames sampled from a video one of the seed, the epoch and its
// id. Neither depends on Readers or on timing.
//
// A Source is for one goroutine, but that Close may be called by any.
type Source struct {
	cfg     Config
	spec    Spec
	sampler Sampler
	inputs  []*input
	handles *handles
	buffers *buffers
	held    int64 // bytes of records in the shuffle buffer
	workers []*worker
	batches []*batch

	mu     sync.Mutex
	run    *run // the epoch under way
	closed bool

	counted sync.Once
	total   int64
	failed  error
}

// NewSource makes a Source. It opens no file.
func NewSource(cfg Config) (*Source, error) {
	spec, err := Spec{Names: cfg.FeatureNames, Dims: cfg.FeatureDims, Classes: cfg.Classes, MaxFrames: cfg.MaxFrames}.check()
	if err != nil {
		return nil, err
	}
	switch {
	case len(cfg.Files) == 0:
		return nil, errors.New("yt8m: no files: name the data")
	case cfg.Frames < 1 || cfg.Frames > maxSampled:
		return nil, fmt.Errorf("yt8m: %d frames a video: set seg_num to 1 to %d", cfg.Frames, maxSampled)
	case cfg.BatchSize < 1 || cfg.BatchSize > 1<<20:
		return nil, fmt.Errorf("yt8m: batch size %d: set it to 1 to %d", cfg.BatchSize, 1<<20)
	case cfg.Readers < 0 || cfg.ShuffleBuffer < 0:
		return nil, fmt.Errorf("yt8m: %d readers, shuffle buffer of %d: neither can be negative", cfg.Readers, cfg.ShuffleBuffer)
	}
	for m, dim := range spec.Dims {
		if bytes := float64(cfg.BatchSize) * float64(cfg.Frames) * float64(dim); bytes > 1<<36 {
			return nil, fmt.Errorf("yt8m: a batch of %d videos, %d frames, %d bytes of %q: over 64 GiB: lower the batch size", cfg.BatchSize, cfg.Frames, dim, spec.Names[m])
		}
	}
	cfg.Readers = cmp.Or(cfg.Readers, min(8, runtime.GOMAXPROCS(0)))
	cfg.ShuffleBuffer = cmp.Or(cfg.ShuffleBuffer, defaultShuffle)
	s := &Source{
		cfg: cfg, spec: spec, held: heldBytes,
		sampler: Sampler{Random: cfg.RandomSampling, Seed: cfg.Seed},
		handles: newHandles(len(cfg.Files), openFiles),
		buffers: &buffers{limit: heldBytes},
		batches: make([]*batch, batchRing),
	}
	for i, name := range cfg.Files {
		s.inputs = append(s.inputs, &input{name: name, file: i})
	}
	for range cfg.Readers {
		decoder, err := NewDecoder(spec)
		if err != nil {
			return nil, err
		}
		s.workers = append(s.workers, &worker{decoder: decoder, index: make([]int32, cfg.Frames)})
	}
	for i := range s.batches {
		s.batches[i] = &batch{}
	}
	return s, nil
}

// Start begins an epoch, and ends the one under way if there is one. The first skip videos of its order are left out: their
// framing is read (of a compressed file, all), but none is decoded. Errors in files are those of Next.
func (s *Source) Start(epoch int, skip int64) error {
	if epoch < 0 || skip < 0 {
		return fmt.Errorf("yt8m: start at epoch %d, video %d: neither can be negative", epoch, skip)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if s.run != nil {
		s.run.halt()
		s.run.wg.Wait()
	}
	s.run = s.start(epoch, skip)
	return nil
}

// Next delivers the next n ≤ BatchSize videos of the epoch; n is below BatchSize in the last batch alone. features[m] is
// uint8 [n, L, dims[m]]. The labels of video b, ascending and each once, are labels[offsets[b]:offsets[b+1]], with
// len(offsets) = n+1; its id is ids[b]. All are valid until the next call of Next or Start. The error after the last batch is
// io.EOF.
//
// Errors come in the order of the records: every batch before the one with a bad record is delivered first. An error in the
// framing of files comes as soon as the order reaches it, where records are shuffled as soon as it is found. After an error
// the epoch has ended.
func (s *Source) Next() (features [][]byte, offsets, labels []int32, ids []string, err error) {
	s.mu.Lock()
	r, closed := s.run, s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return nil, nil, nil, nil, errClosed
	case r == nil:
		return nil, nil, nil, nil, errors.New("yt8m: Next before Start")
	}
	b, err := r.next()
	if err != nil {
		return nil, nil, nil, nil, err
	}
	return b.features, b.offsets, b.labels, b.ids[:b.n], nil
}

// Count returns the number of videos in the whole input by a framing-only pass: of compressed files everything is
// decompressed. It reads the files once and remembers the answer.
func (s *Source) Count() (int64, error) {
	s.counted.Do(func() { s.total, s.failed = s.count() })
	return s.total, s.failed
}

// count counts the videos of all files, several files at once.
func (s *Source) count() (total int64, err error) {
	counts, errs := make([]int64, len(s.inputs)), make([]error, len(s.inputs))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(s.cfg.Readers, len(s.inputs)) {
		wg.Go(func() {
			for i := range next {
				in := s.inputs[i]
				if errs[i] = in.open(s.handles, s.buffers); errs[i] == nil {
					counts[i], errs[i] = in.count()
				}
			}
		})
	}
	for i := range s.inputs {
		next <- i
	}
	close(next)
	wg.Wait()
	for i, n := range counts {
		if errs[i] != nil {
			return 0, errs[i]
		}
		total += n
	}
	if total == 0 {
		return 0, s.noVideo()
	}
	return total, nil
}

// noVideo is the error of an input without a video.
func (s *Source) noVideo() error {
	return fmt.Errorf("yt8m: %d files, the first %s: %w", len(s.inputs), s.inputs[0].name, ErrNoVideo)
}

// Close ends the epoch under way, and closes all files. A Next under way in another goroutine returns with an error.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run != nil {
		s.run.halt()
		s.run.wg.Wait()
	}
	s.closed = true
	s.handles.close()
	return nil
}
