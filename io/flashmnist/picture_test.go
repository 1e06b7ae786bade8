package flashmnist

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"
)

// madePanel is a video whose unit u attends to frame (u+shift) mod 25 alone.
func madePanel(t *testing.T, class, units, shift int) Panel {
	t.Helper()
	videos, err := madeSource(t, 1).Videos(Test, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := Panel{Images: make([]uint8, Frames*Pixels), Weights: make([]float32, Frames*units)}
	for i := range videos.Len() {
		if videos.Class(i) == class {
			truth := videos.Make(i, p.Images)
			p.ID, p.Shown, p.Truth = videos.ID(i), ClassName(class), truth[:]
		}
	}
	p.Predicted = p.Shown
	for u := range units {
		p.Weights[(u+shift)%Frames*units+u] = 1
	}
	return p
}

// TestDrawAttention looks the weights and the frames up in the decoded picture.
func TestDrawAttention(t *testing.T) {
	for _, units := range []int{1, 8, 32, 300} {
		panels := []Panel{madePanel(t, 0, units, 0), madePanel(t, 1023, units, 3)}
		var file bytes.Buffer
		if err := DrawAttention(&file, panels); err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(&file)
		if err != nil {
			t.Fatal(err)
		}
		rowHeight := max(1, min(16, mapHeight/units))
		above := 2*(textHeight+lineGap) + margin
		panelHeight := 2*(textHeight+lineGap) + frameSide + lineGap + units*rowHeight
		if got, want := picture.Bounds().Dy(), margin+2*(panelHeight+panelGap)+textHeight+margin; got != want {
			t.Errorf("%d units: %d pixels high, want %d", units, got, want)
		}
		for n, p := range panels {
			frameY := above + n*(panelHeight+panelGap)
			mapY := frameY + frameSide + lineGap
			for frame := range Frames {
				x := leftMargin + frame*pitch
				for _, pixel := range []int{0, 29, Pixels - 1} {
					want := color.Gray{Y: 255 - p.Images[frame*Pixels+pixel]}
					at(t, picture.At(x+pixel%Size*frameScale+1, frameY+pixel/Size*frameScale), want)
				}
				for unit := range units {
					want := color.Color(color.White)
					if p.Weights[frame*units+unit] == 1 {
						want = darkest
					}
					at(t, picture.At(x+frameSide/2, mapY+unit*rowHeight), want)
				}
				border := color.Color(border)
				if digit := p.Truth[frame]; digit != NoDigit {
					border = digitInk[digit]
				}
				at(t, picture.At(x-1, frameY+frameSide/2), border)
			}
		}
	}
}

func at(t *testing.T, got, want color.Color) {
	t.Helper()
	gotR, gotG, gotB, _ := got.RGBA()
	wantR, wantG, wantB, _ := want.RGBA()
	if gotR != wantR || gotG != wantG || gotB != wantB {
		t.Fatalf("pixel is %v, want %v", got, want)
	}
}

// TestDrawAttentionFits: the widest text, ten digits all of them predicted, and the legend end before the margin.
func TestDrawAttentionFits(t *testing.T) {
	p := madePanel(t, 1023, 2, 0)
	p.Predicted = ClassName(1022)
	var file bytes.Buffer
	if err := DrawAttention(&file, []Panel{p}); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	bounds := picture.Bounds()
	for y := range bounds.Dy() {
		for x := bounds.Dx() - margin + 3; x < bounds.Dx(); x++ { // 3: the last frame's outline
			at(t, picture.At(x, y), color.White)
		}
	}
}

func TestDrawAttentionBad(t *testing.T) {
	good := madePanel(t, 5, 4, 0)
	for _, row := range []struct {
		name   string
		panels func() []Panel
		want   string
	}{
		{"none", func() []Panel { return nil }, "0 videos"},
		{"many", func() []Panel { return make([]Panel, maxPanels+1) }, "33 videos"},
		{"no units", func() []Panel { p := good; p.Weights = nil; return []Panel{p} }, "0 attention units"},
		{"other units", func() []Panel { return []Panel{good, madePanel(t, 5, 5, 0)} }, "125 weights"},
		{"frames", func() []Panel { p := good; p.Images = p.Images[1:]; return []Panel{p} }, "19599 bytes"},
		{"truth", func() []Panel { p := good; p.Truth = p.Truth[1:]; return []Panel{p} }, "24 digits"},
		{"digit", func() []Panel { p := good; p.Truth = append([]int{10}, p.Truth[1:]...); return []Panel{p} }, "digit 10"},
		{"weight", func() []Panel {
			p := good
			p.Weights = append([]float32{}, p.Weights...)
			p.Weights[6] = float32(math.NaN())
			return []Panel{p}
		}, "unit 2 pays frame 1"},
	} {
		err := DrawAttention(&bytes.Buffer{}, row.panels())
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: error %v, want %q", row.name, err, row.want)
		}
	}
	if err := DrawAttention(full{}, []Panel{good}); err == nil {
		t.Error("no error of a writer that fails")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, bytes.ErrTooLarge }
