package yt8m

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// An oracle decodes records with the protobuf library and a description of tensorflow/core/example/example.proto: another
// way to the same video. It is proto2 here, in which strings need not be UTF-8, and maps are the repeated entries that they
// are on the wire, the last one of a key counting: the library panics on a map entry without a key.
type oracle struct {
	example protoreflect.MessageDescriptor
}

func newOracle(t testing.TB) oracle {
	t.Helper()
	field := func(name string, number int32, label descriptorpb.FieldDescriptorProto_Label, typ descriptorpb.FieldDescriptorProto_Type, message string) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Label: &label, Type: &typ}
		if message != "" {
			f.TypeName = proto.String(".t." + message)
		}
		return f
	}
	const (
		optional = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
		repeated = descriptorpb.FieldDescriptorProto_LABEL_REPEATED
		message  = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
		text     = descriptorpb.FieldDescriptorProto_TYPE_STRING
	)
	of := func(name string, fields ...*descriptorpb.FieldDescriptorProto) *descriptorpb.DescriptorProto {
		return &descriptorpb.DescriptorProto{Name: &name, Field: fields}
	}
	feature := of("Feature", field("bytes_list", 1, optional, message, "BytesList"), field("float_list", 2, optional, message, "FloatList"), field("int64_list", 3, optional, message, "Int64List"))
	feature.OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("kind")}}
	for _, f := range feature.Field {
		f.OneofIndex = proto.Int32(0)
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("example.proto"), Package: proto.String("t"), Syntax: proto.String("proto2"),
		MessageType: []*descriptorpb.DescriptorProto{
			of("BytesList", field("value", 1, repeated, descriptorpb.FieldDescriptorProto_TYPE_BYTES, "")),
			of("FloatList", field("value", 1, repeated, descriptorpb.FieldDescriptorProto_TYPE_FLOAT, "")),
			of("Int64List", field("value", 1, repeated, descriptorpb.FieldDescriptorProto_TYPE_INT64, "")),
			feature,
			of("FeatureEntry", field("key", 1, optional, text, ""), field("value", 2, optional, message, "Feature")),
			of("Features", field("feature", 1, repeated, message, "FeatureEntry")),
			of("FeatureList", field("feature", 1, repeated, message, "Feature")),
			of("FeatureListEntry", field("key", 1, optional, text, ""), field("value", 2, optional, message, "FeatureList")),
			of("FeatureLists", field("feature_list", 1, repeated, message, "FeatureListEntry")),
			of("SequenceExample", field("context", 1, optional, message, "Features"), field("feature_lists", 2, optional, message, "FeatureLists")),
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return oracle{file.Messages().ByName("SequenceExample")}
}

// decode returns the video in data; ok: it fits spec. err: data is no protobuf message.
func (o oracle) decode(data []byte, spec Spec) (v Video, ok bool, err error) {
	m := dynamicpb.NewMessage(o.example)
	if err := proto.Unmarshal(data, m); err != nil {
		return v, false, err
	}
	get := func(m protoreflect.Message, name string) protoreflect.Value {
		return m.Get(m.Descriptor().Fields().ByName(protoreflect.Name(name)))
	}
	bytes := func(feature protoreflect.Message) ([]byte, bool) { // one bytes value
		kind := feature.WhichOneof(feature.Descriptor().Oneofs().Get(0))
		if kind == nil || kind.Name() != "bytes_list" {
			return nil, false
		}
		values := get(feature.Get(kind).Message(), "value").List()
		if values.Len() != 1 {
			return nil, false
		}
		return values.Get(0).Bytes(), true
	}
	context := get(get(m, "context").Message(), "feature").List()
	find := func(entries protoreflect.List, key string) (value protoreflect.Message, found bool) {
		for i := range entries.Len() {
			if entry := entries.Get(i).Message(); get(entry, "key").String() == key {
				value, found = get(entry, "value").Message(), true
			}
		}
		return value, found
	}
	id, found := find(context, "id")
	if !found {
		if id, found = find(context, "video_id"); !found {
			return v, false, nil
		}
	}
	if v.ID, ok = bytes(id); !ok || len(v.ID) == 0 {
		return v, false, nil
	}
	if labels, found := find(context, "labels"); found {
		if kind := labels.WhichOneof(labels.Descriptor().Oneofs().Get(0)); kind != nil {
			if kind.Name() != "int64_list" {
				return v, false, nil
			}
			values := get(labels.Get(kind).Message(), "value").List()
			for i := range values.Len() {
				label := values.Get(i).Int()
				if label < 0 || label > 1<<31-1 || spec.Classes > 0 && label >= int64(spec.Classes) {
					return v, false, nil
				}
				v.Labels = append(v.Labels, int32(label))
			}
		}
	}
	lists := get(get(m, "feature_lists").Message(), "feature_list").List()
	v.Frames = spec.MaxFrames
	for i, name := range spec.Names {
		list, found := find(lists, name)
		if !found {
			return v, false, nil
		}
		frames := get(list, "feature").List()
		if frames.Len() == 0 {
			return v, false, nil
		}
		v.Frames = min(v.Frames, frames.Len())
		var rows [][]byte
		for k := range frames.Len() {
			row, ok := bytes(frames.Get(k).Message())
			if !ok || len(row) != spec.Dims[i] {
				return v, false, nil
			}
			if k < spec.MaxFrames {
				rows = append(rows, row)
			}
		}
		v.Rows = append(v.Rows, rows)
	}
	return v, true, nil
}
