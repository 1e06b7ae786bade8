package convert

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A layout is how the features of videos lie in a folder.
type layout struct {
	folder string
	kind   kind
	names  []string        // of the features
	ids    map[string]bool // of the videos
}

type kind int

const (
	archives  kind = iota // ID.npz with an array for each feature
	single                // ID.npy, of the one feature
	byFeature             // NAME/ID.npy
	byVideo               // ID/NAME.npy
)

// path is where feature name of a video is.
func (l *layout) path(id, name string) string {
	switch l.kind {
	case archives:
		return filepath.Join(l.folder, id+".npz")
	case single:
		return filepath.Join(l.folder, id+".npy")
	case byFeature:
		return filepath.Join(l.folder, name, id+".npy")
	}
	return filepath.Join(l.folder, id, name+".npy")
}

// findLayout finds out how features lie in a folder. Known are the ids that a video may have; names are the features, or none:
// then they are all that there are.
func findLayout(folder string, names []string, known map[string]bool) (*layout, error) {
	zipped, arrays, folders, err := contents(folder)
	if err != nil {
		return nil, err
	}
	l := &layout{folder: folder, names: names, ids: map[string]bool{}}
	video := slices.ContainsFunc(folders, func(name string) bool { return known[name] })
	switch {
	case len(zipped) > 0 && len(arrays)+len(folders) == 0:
		l.kind = archives
		l.add(zipped)
	case len(arrays) > 0 && len(zipped)+len(folders) == 0:
		l.kind = single
		l.add(arrays)
		if len(names) != 1 {
			return nil, fmt.Errorf("convert: %s holds arrays of a single feature (%s.npy), which has no name: put them into a folder in it with the feature's name (%s), or name one feature in the configuration",
				folder, arrays[0], filepath.Join(folder, "rgb"))
		}
	case len(folders) > 0 && len(zipped)+len(arrays) == 0 && video:
		l.kind = byVideo
		l.add(folders)
	case len(folders) > 0 && len(zipped)+len(arrays) == 0:
		l.kind = byFeature
		return l, l.addFeatures(folders)
	default:
		what := "nothing of the kind"
		if len(zipped)+len(arrays)+len(folders) > 0 {
			what = fmt.Sprintf("%d .npz files, %d .npy files and %d folders side by side", len(zipped), len(arrays), len(folders))
		}
		return nil, fmt.Errorf("convert: %s: expected a folder for each feature with ID.npy for each video (rgb/ID.npy, audio/ID.npy), or ID.npz for each video; there is %s: arrange the files so", folder, what)
	}
	return l, nil
}

// addFeatures adds the videos of the folders of features.
func (l *layout) addFeatures(folders []string) error {
	if len(l.names) == 0 {
		l.names = folders
	}
	for m, name := range l.names {
		if !slices.Contains(folders, name) {
			return fmt.Errorf("convert: %s: no folder for the feature %q, there are %s: set feature_names to the folders' names", l.folder, name, strings.Join(folders, ", "))
		}
		_, arrays, _, err := contents(filepath.Join(l.folder, name))
		if err != nil {
			return err
		}
		there := &layout{ids: map[string]bool{}}
		there.add(arrays)
		if m == 0 {
			l.ids = there.ids
		}
		for _, pair := range []struct {
			in, lacks map[string]bool
			has, not  string
		}{{l.ids, there.ids, l.names[0], name}, {there.ids, l.ids, name, l.names[0]}} {
			for id := range pair.in {
				if !pair.lacks[id] {
					return fmt.Errorf("convert: %s: video %q has the feature %q and not %q: add the file, or move the other one away", l.folder, id, pair.has, pair.not)
				}
			}
		}
	}
	return nil
}

func (l *layout) add(ids []string) {
	for _, id := range ids {
		l.ids[id] = true
	}
}

// contents lists what is in a folder, sorted: .npz and .npy files without their endings, and folders. Hidden ones and other
// files are left out.
func contents(folder string) (archives, arrays, folders []string, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("convert: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if id, ok := strings.CutSuffix(name, ".npz"); ok {
			archives = append(archives, id)
		} else if id, ok := strings.CutSuffix(name, ".npy"); ok {
			arrays = append(arrays, id)
		} else if info, err := os.Stat(filepath.Join(folder, name)); err == nil && info.IsDir() {
			folders = append(folders, name)
		}
	}
	return archives, arrays, folders, nil
}
