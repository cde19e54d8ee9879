package pgtest

// Option changes how a cluster of our own is made and run.
type Option func(*options)

type options struct {
	fsync      bool
	password   string
	initdbArgs []string
	settings   []setting
}

type setting struct{ name, value string }

func newOptions(opts []Option) options {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// needsControl reports whether the options ask for something that a server
// named by PGTEST_DSN cannot be made to do.
func (o options) needsControl() bool {
	return o.password != "" || len(o.initdbArgs) > 0 || len(o.settings) > 0
}

// WithFsync has the server write its data through to the disk, as a production
// server does. Default: off, which survives the death of the server but not of
// the machine. A server named by PGTEST_DSN decides for itself.
func WithFsync() Option { return func(o *options) { o.fsync = true } }

// WithPassword has the server ask every session for a password
// (scram-sha-256). DSN and URL contain it. Default: no password is asked for.
func WithPassword(password string) Option { return func(o *options) { o.password = password } }

// WithInitdb passes further arguments to initdb, after our own: the encoding is
// UTF8, the locale C and the superuser postgres unless they say otherwise.
func WithInitdb(args ...string) Option {
	return func(o *options) { o.initdbArgs = append(o.initdbArgs, args...) }
}

// WithSetting sets a parameter of postgresql.conf, after our own.
func WithSetting(name, value string) Option {
	return func(o *options) { o.settings = append(o.settings, setting{name, value}) }
}

// serverArgs returns the settings as arguments of the postgres program.
func (o options) serverArgs() []string {
	all := []setting{
		{"max_connections", "200"},
		{"log_checkpoints", "off"},
	}
	if !o.fsync {
		all = append(all, setting{"fsync", "off"}, setting{"full_page_writes", "off"})
	}
	all = append(all, o.settings...)
	args := make([]string, 0, 2*len(all))
	for _, s := range all {
		args = append(args, "-c", s.name+"="+s.value)
	}
	return args
}
