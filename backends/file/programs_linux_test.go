package file_test

func init() { //nolint:gochecknoinits // of the tests alone, and where there is Linux
	programs["lose-power"] = losePower
	programs["keep-notes"] = keepNotes
	programs["fill-disk"] = fillDisk
}
