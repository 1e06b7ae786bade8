package flashmnist

import (
	"bufio"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"
	"strconv"
)

// Panel is one video of the picture that DrawAttention draws.
type Panel struct {
	ID        string
	Shown     string    // the digits that the video shows, such as ClassName gives
	Predicted string    // the digits that the model says
	Images    []uint8   // [25, 784]
	Truth     []int     // [25], the digit of each frame or NoDigit
	Weights   []float32 // [25, units], each unit's attention over the frames
}

// Lengths in the picture, in pixels.
const (
	frameScale = 2
	frameSide  = Size * frameScale // a frame, and a column of the heat map
	frameGap   = 8
	pitch      = frameSide + frameGap
	margin     = 24
	leftMargin = margin + 9*textWidth // room for "attention"
	lineGap    = 10
	panelGap   = 36
	mapHeight  = 256 // about, of a heat map
	maxUnits   = 2048
	maxPanels  = 32
)

var (
	ink      = color.RGBA{R: 0x20, G: 0x24, B: 0x2c, A: 0xff}
	faint    = color.RGBA{R: 0x6b, G: 0x72, B: 0x80, A: 0xff}
	border   = color.RGBA{R: 0xc4, G: 0xc8, B: 0xd0, A: 0xff}
	right    = color.RGBA{R: 0x1a, G: 0x7f, B: 0x37, A: 0xff}
	wrong    = color.RGBA{R: 0xc0, G: 0x1c, B: 0x28, A: 0xff}
	darkest  = color.RGBA{R: 0x08, G: 0x1d, B: 0x58, A: 0xff}
	digitInk = [Digits]color.RGBA{
		{R: 0x4d, G: 0x4d, B: 0x4d, A: 0xff}, {R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}, {R: 0xd9, G: 0x6c, B: 0x06, A: 0xff},
		{R: 0x2c, G: 0x9a, B: 0x3c, A: 0xff}, {R: 0xd6, G: 0x27, B: 0x28, A: 0xff}, {R: 0x8a, G: 0x5c, B: 0xb8, A: 0xff},
		{R: 0x8c, G: 0x56, B: 0x4b, A: 0xff}, {R: 0xd1, G: 0x4f, B: 0xa5, A: 0xff}, {R: 0x94, G: 0x8f, B: 0x10, A: 0xff},
		{R: 0x0e, G: 0x9b, B: 0xaa, A: 0xff},
	}
)

// DrawAttention writes a PNG with a panel a video: a line that names it, its 25 frames (ink drawn dark; frames that show a
// digit outlined in the digit's colour), and beneath each frame the attention that every unit pays to it, white for 0 to
// dark for 1. All panels must have the same number of units.
func DrawAttention(w io.Writer, panels []Panel) error {
	units, err := checkPanels(panels)
	if err != nil {
		return err
	}
	rowHeight := max(1, min(16, mapHeight/units))
	panelHeight := textHeight + lineGap + textHeight + lineGap + frameSide + lineGap + units*rowHeight
	height := margin + len(panels)*(panelHeight+panelGap) + textHeight + margin
	c := newCanvas(leftMargin+Frames*pitch-frameGap+margin, height)
	for i := range panels {
		c.panel(margin+i*(panelHeight+panelGap), &panels[i], units, rowHeight)
	}
	c.legend(height - margin - textHeight)

	out := bufio.NewWriter(w)
	if err := png.Encode(out, c); err != nil {
		return fmt.Errorf("flashmnist: picture: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("flashmnist: picture: %w", err)
	}
	return nil
}

// checkPanels returns the number of units.
func checkPanels(panels []Panel) (units int, err error) {
	if len(panels) < 1 || len(panels) > maxPanels {
		return 0, fmt.Errorf("flashmnist: picture: %d videos, want 1 to %d", len(panels), maxPanels)
	}
	units = len(panels[0].Weights) / Frames
	if units < 1 || units > maxUnits {
		return 0, fmt.Errorf("flashmnist: picture: %d attention units, want 1 to %d", units, maxUnits)
	}
	for _, p := range panels {
		if len(p.Images) != Frames*Pixels || len(p.Truth) != Frames || len(p.Weights) != Frames*units {
			return 0, fmt.Errorf("flashmnist: picture: %s: %d bytes of images, %d digits, %d weights; want %d, %d and %d",
				p.ID, len(p.Images), len(p.Truth), len(p.Weights), Frames*Pixels, Frames, Frames*units)
		}
		for _, digit := range p.Truth {
			if digit != NoDigit && (digit < 0 || digit >= Digits) {
				return 0, fmt.Errorf("flashmnist: picture: %s: a frame shows digit %d, want 0 to 9 or %d", p.ID, digit, NoDigit)
			}
		}
		for i, a := range p.Weights {
			if !(a >= 0 && a <= 1.001) {
				return 0, fmt.Errorf("flashmnist: picture: %s: unit %d pays frame %d the attention %v, want 0 to 1",
					p.ID, i%units, i/units, a)
			}
		}
	}
	return units, nil
}

// panel draws one video from y down.
func (c canvas) panel(y int, p *Panel, units, rowHeight int) {
	x := c.text(margin, y, p.ID, ink)
	x = c.text(x+3*textWidth, y, "shows ", faint)
	x = c.text(x, y, p.Shown, ink)
	x = c.text(x+3*textWidth, y, "predicted ", faint)
	if p.Predicted == p.Shown {
		c.text(x, y, p.Predicted+" (right)", right)
	} else {
		c.text(x, y, p.Predicted+" (wrong)", wrong)
	}

	digitY := y + textHeight + lineGap
	frameY := digitY + textHeight + lineGap
	mapY := frameY + frameSide + lineGap
	mapBottom := mapY + units*rowHeight
	c.text(margin, digitY, "digit", faint)
	c.text(margin, frameY+(frameSide-textHeight)/2, "frame", faint)
	c.text(margin, mapY, "unit 1", faint)
	if mapBottom-mapY >= 2*textHeight {
		c.text(margin, mapBottom-textHeight, "unit "+strconv.Itoa(units), faint)
	}
	for frame, digit := range p.Truth {
		x := leftMargin + frame*pitch
		c.gray(x, frameY, frameScale, p.Images[frame*Pixels:(frame+1)*Pixels])
		for unit := range units {
			c.fill(x, mapY+unit*rowHeight, frameSide, rowHeight, shade(p.Weights[frame*units+unit]))
		}
		if digit == NoDigit {
			c.outline(x, frameY, frameSide, frameSide, 1, border)
			c.outline(x, mapY, frameSide, mapBottom-mapY, 1, border)
			continue
		}
		c.text(x+(frameSide-textWidth)/2, digitY, strconv.Itoa(digit), digitInk[digit])
		c.outline(x, frameY, frameSide, frameSide, 3, digitInk[digit])
		c.outline(x, mapY, frameSide, mapBottom-mapY, 2, digitInk[digit])
	}
}

// legend explains the picture in one line.
func (c canvas) legend(y int) {
	x := c.text(margin, y, "attention a unit pays to a frame:", faint)
	for _, weight := range []string{"0", "0.04", "0.1", "0.25", "0.5", "1"} {
		a, err := strconv.ParseFloat(weight, 32)
		if err != nil {
			panic(err) // the list above
		}
		x += 2 * textWidth
		c.fill(x, y, textHeight, textHeight, shade(float32(a)))
		c.outline(x, y, textHeight, textHeight, 1, border)
		x = c.text(x+textHeight+textWidth/2, y, weight, ink)
	}
	c.text(x+3*textWidth, y, "(0.04: an even share of 25 frames)", faint)
}

// shade is the colour of an attention weight, white for 0 to dark for 1, by its square root, so that small weights show.
func shade(a float32) color.RGBA {
	t := math.Sqrt(float64(min(a, 1)))
	part := func(dark uint8) uint8 { return uint8(math.Round(255 + t*(float64(dark)-255))) }
	return color.RGBA{R: part(darkest.R), G: part(darkest.G), B: part(darkest.B), A: 0xff}
}
