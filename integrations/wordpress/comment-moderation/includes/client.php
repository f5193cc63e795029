<?php
/**
 * Calls to the service, with a short limit, and a rest after each failure so that readers do not wait for a dead one.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

const HEALTH = 'comment_moderation_health';

/** Seconds that a reader may be kept waiting: for the connection, for the decision, and for the whole answer. */
const CONNECT_SECONDS = 1;
const WAIT_SECONDS    = 2;
const ANSWER_SECONDS  = 3;

/** Seconds of rest after the first failure, doubled at each further one up to the longest. */
const FIRST_REST   = 15;
const LONGEST_REST = 1800;

/**
 * One call. The answer has `status` (0 when there was none), `body` (decoded JSON), `error` (words for the
 * administrator, empty when the service did answer as a service should) and `date` (its clock).
 *
 * @param string     $method  GET, POST, PUT or DELETE.
 * @param string     $path    Beginning with a slash.
 * @param array|null $body    Sent as JSON.
 * @param array      $options `wait`: seconds to prefer to wait for a decision; `timeout`: seconds for the answer.
 */
function call_service( string $method, string $path, ?array $body = null, array $options = array() ): array {
	$settings = settings();
	$headers  = array(
		'Authorization' => 'Bearer ' . $settings['key'],
		'Accept'        => 'application/json',
	);
	if ( null !== $body ) {
		$headers['Content-Type'] = 'application/json';
	}
	if ( isset( $options['wait'] ) ) {
		$headers['Prefer'] = 'wait=' . $options['wait'];
	}
	add_action( 'requests-requests.before_request', __NAMESPACE__ . '\\limit_connecting', 10, 5 );
	$response = wp_remote_request(
		$settings['url'] . $path,
		array(
			'method'      => $method,
			'headers'     => $headers,
			'body'        => null === $body ? null : wp_json_encode( $body ),
			'timeout'     => $options['timeout'] ?? ANSWER_SECONDS,
			'redirection' => 0,
			'user-agent'  => 'comment-moderation-wordpress/' . VERSION,
		)
	);
	remove_action( 'requests-requests.before_request', __NAMESPACE__ . '\\limit_connecting' );
	return answer_of( $response );
}

/**
 * WordPress gives a connection ten seconds whatever the time limit of the call; a reader waits meanwhile.
 *
 * @param string $url     Where to.
 * @param array  $headers Of the request.
 * @param mixed  $data    Of the request.
 * @param string $type    Its method.
 * @param array  $options To change.
 */
function limit_connecting( &$url, &$headers, &$data, &$type, &$options ): void {
	$options['connect_timeout'] = CONNECT_SECONDS;
}

/**
 * What came back, in our form.
 *
 * @param array|\WP_Error $response Of wp_remote_request.
 */
function answer_of( $response ): array {
	if ( is_wp_error( $response ) ) {
		return array(
			'status' => 0,
			'body'   => array(),
			'error'  => $response->get_error_message(),
			'date'   => '',
			'rest'   => 0,
		);
	}
	$status = (int) wp_remote_retrieve_response_code( $response );
	$body   = json_decode( wp_remote_retrieve_body( $response ), true );
	$error  = '';
	if ( ! is_array( $body ) ) {
		$error = __( 'What answers there is not the moderation service.', 'comment-moderation' );
	} elseif ( ! in_array( $status, array( 200, 202, 404, 409, 413, 422 ), true ) ) {
		$error = sprintf( '%d %s', $status, (string) ( $body['code'] ?? '' ) );
	}
	return array(
		'status' => $status,
		'body'   => is_array( $body ) ? $body : array(),
		'error'  => $error,
		'date'   => (string) wp_remote_retrieve_header( $response, 'date' ),
		'rest'   => (int) wp_remote_retrieve_header( $response, 'retry-after' ),
	);
}

/**
 * How the service did of late: `failures` in a row, `since`, `rest_until` (Unix times) and the last `error`.
 */
function health(): array {
	$stored = get_option( HEALTH, array() );
	return array_merge(
		array(
			'failures'   => 0,
			'since'      => 0,
			'rest_until' => 0,
			'error'      => '',
		),
		is_array( $stored ) ? $stored : array()
	);
}

/**
 * Whether the service failed so lately that it is not tried again yet.
 */
function is_resting(): bool {
	return health()['rest_until'] > time();
}

/**
 * Notes whether a call went well, and after a failure when to try again. Returns whether it went well.
 *
 * @param array $answer Of call_service.
 */
function went_well( array $answer ): bool {
	$health = health();
	if ( '' === $answer['error'] ) {
		if ( $health['failures'] > 0 ) {
			delete_option( HEALTH );
		}
		return true;
	}
	$rest = min( LONGEST_REST, max( $answer['rest'], FIRST_REST * 2 ** min( 10, $health['failures'] ) ) );
	update_option(
		HEALTH,
		array(
			'failures'   => $health['failures'] + 1,
			'since'      => $health['since'] ? $health['since'] : time(),
			'rest_until' => time() + $rest,
			'error'      => $answer['error'],
		),
		false
	);
	catch_up_at( time() + $rest );
	return false;
}
