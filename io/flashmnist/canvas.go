package flashmnist

import (
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// The font's letters are drawn at twice their size, to stay legible when the picture is shown smaller.
const (
	textScale  = 2
	textWidth  = 7 * textScale  // of a letter
	textHeight = 13 * textScale // of a line
)

// canvas is a picture under way, white at first.
type canvas struct {
	*image.RGBA
}

func newCanvas(width, height int) canvas {
	c := canvas{image.NewRGBA(image.Rect(0, 0, width, height))}
	c.fill(0, 0, width, height, color.White)
	return c
}

// fill paints a rectangle.
func (c canvas) fill(x, y, width, height int, with color.Color) {
	draw.Draw(c, image.Rect(x, y, x+width, y+height), image.NewUniform(with), image.Point{}, draw.Src)
}

// outline paints a border of the given thickness round a rectangle, outside it.
func (c canvas) outline(x, y, width, height, thickness int, with color.Color) {
	c.fill(x-thickness, y-thickness, width+2*thickness, thickness, with)
	c.fill(x-thickness, y+height, width+2*thickness, thickness, with)
	c.fill(x-thickness, y, thickness, height, with)
	c.fill(x+width, y, thickness, height, with)
}

// gray paints an image of 28×28 bytes, each as scale × scale pixels, 0 white and 255 black.
func (c canvas) gray(x, y, scale int, pixels []uint8) {
	for i, p := range pixels {
		c.fill(x+i%Size*scale, y+i/Size*scale, scale, scale, color.Gray{Y: 255 - p})
	}
}

// text writes a line whose upper left corner is (x, y), and returns the x behind it.
func (c canvas) text(x, y int, line string, with color.Color) int {
	face := basicfont.Face7x13
	drawer := font.Drawer{Face: face}
	width := drawer.MeasureString(line).Ceil()
	mask := image.NewAlpha(image.Rect(0, 0, width, face.Height))
	drawer.Dst, drawer.Src, drawer.Dot = mask, image.Opaque, fixed.P(0, face.Ascent)
	drawer.DrawString(line)
	for i, alpha := range mask.Pix {
		if alpha != 0 {
			c.fill(x+i%mask.Stride*textScale, y+i/mask.Stride*textScale, textScale, textScale, with)
		}
	}
	return x + width*textScale
}
