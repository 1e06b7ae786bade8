package published

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"
)

var errChanged = errors.New("the file on the server has changed since a part of it arrived; beginning anew")

// attempt asks for what the part lacks and adds it. An error that is not permanent may be followed by another attempt.
//
// The rest is asked for only if the server can tell whether it still has the same file (If-Range). 206 brings the rest, 200 all
// of what may be another file, and 416 says that there is no rest: all was there, or the file has become shorter.
// Source: RFC 9110, sections 13.1.5, 14 and 15.
func (d *download) attempt(ctx context.Context, f *os.File) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := d.stall
	if stall == 0 {
		stall = time.Minute
	}
	watch := time.AfterFunc(stall, func() { cancel(fmt.Errorf("the server has sent nothing for %v", stall)) })
	defer watch.Stop()
	alive := func() { watch.Reset(stall) }

	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return permanent{err}
	}
	if d.origin.validator() == "" || d.origin.Size >= 0 && have > d.origin.Size {
		have = 0
	}
	if have > 0 && have == d.origin.Size {
		return nil
	}
	response, err := d.ask(ctx, have)
	if err != nil {
		return because(ctx, err)
	}
	defer response.Body.Close()
	alive()
	switch code := response.StatusCode; {
	case code == http.StatusPartialContent && have > 0:
		if err := d.continues(response, have); err != nil {
			return errors.Join(err, d.begin(f, http.Header{}, -1))
		}
	case code == http.StatusOK:
		if err := d.whole(response); err != nil {
			return err
		}
		if err := d.begin(f, response.Header, response.ContentLength); err != nil {
			return err
		}
	case code == http.StatusRequestedRangeNotSatisfiable && have > 0:
		if total, ok := contentRange(response, `^bytes \*/(\d+)$`); ok && total[0] == have && d.origin.Size < 0 && d.same(response) {
			return nil
		}
		return errors.Join(errChanged, d.begin(f, http.Header{}, -1))
	case code >= 500 || code == http.StatusRequestTimeout || code == http.StatusTooManyRequests:
		return fmt.Errorf("%s: the server says %s", d.address, response.Status)
	default:
		return permanent{fmt.Errorf("%s: the server says %s; if the file has moved, name another server, or put the file at %s", d.address, response.Status, d.file)}
	}
	return because(ctx, d.receive(f, response.Body, alive))
}

// ask sends the request for all, or for what follows the first have bytes.
func (d *download) ask(ctx context.Context, have int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, permanent{err}
	}
	request.Header.Set("Accept-Encoding", "identity") // lengths and ranges are to be those of the file
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		request.Header.Set("If-Range", d.origin.validator())
	}
	client := &http.Client{Transport: d.transport, CheckRedirect: safely}
	response, err := client.Do(request)
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &certificate) {
		err = permanent{fmt.Errorf("%w; fetch %s by other means and put it at %s, or name another server", err, d.address, d.file)}
	}
	return response, err
}

// safely follows a redirection unless it leaves https.
func safely(to *http.Request, via []*http.Request) error {
	if via[0].URL.Scheme == "https" && to.URL.Scheme != "https" {
		return permanent{fmt.Errorf("the server sends us on to %s, which is not protected", to.URL.Redacted())}
	}
	if len(via) == 10 {
		return permanent{errors.New("the server sends us on more than ten times")}
	}
	return nil
}

// continues verifies that a response brings what follows the first have bytes, to the end, of the same file.
func (d *download) continues(r *http.Response, have int64) error {
	numbers, ok := contentRange(r, `^bytes (\d+)-(\d+)/(\d+)$`)
	if !ok {
		return fmt.Errorf("the server answers a request for bytes from %d with the range %q, which says too little", have, r.Header.Get("Content-Range"))
	}
	from, to, total := numbers[0], numbers[1], numbers[2]
	if from != have || to != total-1 || r.ContentLength >= 0 && r.ContentLength != total-from {
		return fmt.Errorf("the server sends bytes %d to %d of %d, %d long, where those from %d were asked for", from, to, total, r.ContentLength, have)
	}
	if d.origin.Size >= 0 && total != d.origin.Size {
		return errChanged
	}
	if !d.same(r) {
		return errChanged
	}
	d.origin.Size = total
	return nil
}

// same reports that nothing in a response says that the file has changed.
func (d *download) same(r *http.Response) bool {
	tag := r.Header.Get("ETag")
	return tag == "" || d.origin.ETag == "" || tag == d.origin.ETag
}

// whole verifies that a response can bring the file.
func (d *download) whole(r *http.Response) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "text/html" {
		return permanent{fmt.Errorf("%s: a web page came instead of the file: is a login to this network missing? Else name another server, or put the file at %s", d.address, d.file)}
	}
	if r.ContentLength < 0 && !slices.Contains(r.TransferEncoding, "chunked") && r.ProtoMajor < 2 {
		return permanent{fmt.Errorf("%s: the server does not say how long the file is, so that a broken download could not be told; name another server", d.address)}
	}
	return nil
}

// contentRange is the numbers of the header Content-Range, if it has that form.
func contentRange(r *http.Response, form string) ([]int64, bool) {
	match := regexp.MustCompile(form).FindStringSubmatch(r.Header.Get("Content-Range"))
	if match == nil {
		return nil, false
	}
	var numbers []int64
	for _, text := range match[1:] {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, false
		}
		numbers = append(numbers, n)
	}
	return numbers, true
}

// receive adds the body to the part and verifies that all is there then.
func (d *download) receive(f *os.File, body io.Reader, alive func()) error {
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return permanent{err}
	}
	buffer := make([]byte, 256<<10)
	for {
		n, readErr := body.Read(buffer)
		if n > 0 {
			alive()
			if _, err := f.Write(buffer[:n]); err != nil {
				return permanent{err}
			}
			have += int64(n)
			d.best = max(d.best, have)
			if d.Progress != nil {
				d.Progress(have, max(d.origin.Size, 0))
			}
		}
		switch {
		case have > maxSize:
			return permanent{fmt.Errorf("%s: more than %d bytes, which no file of ours has", d.address, int64(maxSize))}
		case readErr == io.EOF && d.origin.Size >= 0 && have != d.origin.Size:
			return fmt.Errorf("%s: %d bytes arrived and the server promised %d", d.address, have, d.origin.Size)
		case readErr == io.EOF:
			return nil
		case readErr != nil:
			return fmt.Errorf("%s: broke off after %d bytes: %w", d.address, have, readErr)
		}
	}
}

// because adds to an error why its context has ended, if it has.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
