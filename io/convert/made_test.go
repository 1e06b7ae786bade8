package convert

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"avcu/io/yt8m"
)

var pair = Options{Names: []string{"rgb", "audio"}, Dims: []int{6, 3}, Workers: 2}

// A copied video is one that stays valid.
type copied struct {
	ID     string
	Labels []int32
	Frames int
	Rows   [][]string
}

// videosIn reads a file; all says that rows which do not count are wanted too.
func videosIn(t *testing.T, name string, names []string, dims []int, all bool) (videos []copied) {
	t.Helper()
	spec := yt8m.Spec{Names: names, Dims: dims}
	if all {
		spec.MaxFrames = -1
	}
	err := yt8m.Each(name, spec, func(_ *yt8m.Reader, v *yt8m.Video) error {
		c := copied{ID: string(v.ID), Labels: slices.Clone(v.Labels), Frames: v.Frames}
		for _, rows := range v.Rows {
			var list []string
			if !all {
				rows = rows[:v.Frames]
			}
			for _, row := range rows {
				list = append(list, string(row))
			}
			c.Rows = append(c.Rows, list)
		}
		videos = append(videos, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return videos
}

// tree reads all files below a folder, hidden ones too.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// made is a video of one's own.
type made struct {
	id     string
	frames int
	rgb    []float32 // [frames, 6]
	audio  []byte    // [frames, 3]
}

// makeVideos makes n videos; the values are the same for the same n.
func makeVideos(n int) (videos []made) {
	random := rand.New(rand.NewPCG(1, 2))
	for k := range n {
		v := made{id: fmt.Sprintf("clip-%03d", k), frames: 1 + k*7%13}
		for i := range v.frames * 6 {
			v.rgb = append(v.rgb, float32(random.NormFloat64()*float64(1+i%6)+10))
		}
		for range v.frames * 3 {
			v.audio = append(v.audio, byte(random.Uint32()))
		}
		videos = append(videos, v)
	}
	return videos
}

// npyBytes is an array as numpy.save writes it.
func npyBytes(descr string, shape []int, data any) []byte {
	text := fmt.Sprint(shape)
	text = string(bytes.ReplaceAll([]byte(text[1:len(text)-1]), []byte(" "), []byte(", ")))
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }", descr, text)
	for (10+len(head)+1)%64 != 0 {
		head += " "
	}
	head += "\n"
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(head)))
	b = append(b, head...)
	switch data := data.(type) {
	case []byte:
		b = append(b, data...)
	case []float32:
		for _, f := range data {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
		}
	}
	return b
}

func (v *made) arrays() (rgb, audio []byte) {
	return npyBytes("<f4", []int{v.frames, 6}, v.rgb), npyBytes("|u1", []int{v.frames, 3}, v.audio)
}

func save(t *testing.T, data []byte, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// saveAs writes videos into a folder in one of the layouts.
func saveAs(t *testing.T, videos []made, k kind, folder string) {
	t.Helper()
	for _, v := range videos {
		rgb, audio := v.arrays()
		switch k {
		case archives:
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			for _, a := range []struct {
				name string
				data []byte
			}{{"rgb.npy", rgb}, {"audio.npy", audio}} {
				member, err := w.Create(a.name)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := member.Write(a.data); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			save(t, b.Bytes(), folder, v.id+".npz")
		case byFeature:
			save(t, rgb, folder, "rgb", v.id+".npy")
			save(t, audio, folder, "audio", v.id+".npy")
		case byVideo:
			save(t, rgb, folder, v.id, "rgb.npy")
			save(t, audio, folder, v.id, "audio.npy")
		case single:
			save(t, rgb, folder, v.id+".npy")
		}
	}
}

// truthOf writes a truth file of videos, label k%5 and 9 for video k.
func truthOf(t *testing.T, videos []made) string {
	t.Helper()
	text := "id,labels\n"
	for k, v := range videos {
		text += fmt.Sprintf("%s,%d 9\n", v.id, k%5)
	}
	return save(t, []byte(text), t.TempDir(), "truth.csv")
}
