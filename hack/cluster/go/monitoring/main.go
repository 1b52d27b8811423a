// Reads objects of the Prometheus operator from its standard input, as YAML documents, by that
// operator's own types: a field that they do not have, or a value of another kind, is an error.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

func main() {
	if err := read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(input io.Reader) error {
	documents := yaml.NewYAMLReader(bufio.NewReader(input))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := check(document); err != nil {
			return err
		}
	}
}

func check(document []byte) error {
	var object metav1.TypeMeta
	if err := strict.Unmarshal(document, &object); err != nil {
		return err
	}
	var into any
	switch object.Kind {
	case monitoring.ServiceMonitorsKind:
		into = &monitoring.ServiceMonitor{}
	case monitoring.PodMonitorsKind:
		into = &monitoring.PodMonitor{}
	case monitoring.PrometheusRuleKind:
		into = &monitoring.PrometheusRule{}
	default:
		return fmt.Errorf("%s %s is not known here", object.APIVersion, object.Kind)
	}
	if err := strict.UnmarshalStrict(document, into); err != nil {
		return fmt.Errorf("%s: %w", object.Kind, err)
	}
	return nil
}
