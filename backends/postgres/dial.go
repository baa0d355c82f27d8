package postgres

import (
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// What [Open] asks of the kernel, so that a host that is gone without a word is noticed: 30
// seconds after the last sign of life.
const (
	keepAliveIdle     = 10 * time.Second
	keepAliveInterval = 5 * time.Second
	keepAliveCount    = 4
	// unacknowledged is how long data may be under way (TCP_USER_TIMEOUT, tcp(7)). Without
	// it, Linux sends them again for a quarter of an hour.
	userTimeout = keepAliveIdle + keepAliveCount*keepAliveInterval
)

// dial returns how connections are made, within a timeout.
func dial(timeout time.Duration) pgconn.DialFunc {
	d := &net.Dialer{
		Timeout: timeout,
		Control: setUserTimeout,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		},
	}
	return d.DialContext
}
