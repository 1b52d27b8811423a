module headgate.dev/hack/cluster/go/pause

go 1.26
