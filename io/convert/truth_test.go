package convert

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTruth(t *testing.T) {
	type list = []labelled
	for _, c := range []struct {
		text string
		want list
		err  string
	}{
		{"a,3 17\nb,\nc,0\n", list{{"a", []int32{3, 17}}, {"b", nil}, {"c", []int32{0}}}, ""},
		{"id,labels\r\na,3\r\n", list{{"a", []int32{3}}}, ""},
		{"\ufeffid,labels\na,3\n", list{{"a", []int32{3}}}, ""},
		{"VideoId,Label 1,Label 2\na,3,4\n", nil, "Label"},
		{"video,first,second\na,3,4\nb,5,\n", list{{"a", []int32{3, 4}}, {"b", []int32{5}}}, ""},
		{"a,\"3,17\"\nb,4;5|6\n", list{{"a", []int32{3, 17}}, {"b", []int32{4, 5, 6}}}, ""},
		{"\"a,b\",3\n", list{{"a,b", []int32{3}}}, ""},
		{"a, 3\n\nb ,4\n", list{{"a", []int32{3}}, {"b", []int32{4}}}, ""},
		{"", nil, "no line with an id"},
		{"id,labels\n", nil, "no line with an id"},
		{"a\n", nil, "line 1: one column"},
		{"a;3\n", nil, "line 1: one column"},
		{"a,3\n,4\n", nil, "line 2: no id"},
		{"a,3\nb,1\na,4\n", nil, `line 3: id "a" is on line 1 too`},
		{"a,3\nb,cat\n", nil, `line 2: label "cat"`},
		{"a,-1\n", nil, `line 1: label "-1"`},
		{"a,3.5\n", nil, `label "3.5"`},
		{"a,2147483648\n", nil, `label "2147483648"`},
		{"../a,3\n", nil, `id "../a" is no name of a file`},
		{"a,\"3\nb,4\n", nil, "write lines such as"},
	} {
		got, err := parseTruth(strings.NewReader(c.text))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: error %v, want %q", c.text, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(labelled{})); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", c.text, err, diff)
		}
	}
}
