// Package bench measures the project as a whole, and holds the table of what may import what.
package bench
