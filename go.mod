module github.com/larder-go/larder

go 1.26.0
