<?php
/**
 * Tries each part of the connection and says in words what works and what does not. It changes nothing.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

/** Seconds by which the clocks may differ before it is said, well below the webhook's tolerance. */
const CLOCK_SECONDS = 60;

/**
 * The results, in order: pairs of whether it is well (null: nothing to say against it, but look) and a sentence.
 *
 * @return array[]
 */
function test_connection(): array {
	if ( ! is_configured() ) {
		return array( array( false, __( 'Enter the address of the service and the site key first.', 'comment-moderation' ) ) );
	}
	$alive = call_service( 'GET', '/healthz' );
	if ( 200 !== $alive['status'] || 'ok' !== ( $alive['body']['status'] ?? '' ) ) {
		$why = '' === $alive['error'] ? __( 'There is no moderation service at this address.', 'comment-moderation' ) : $alive['error'];
		/* translators: %s: reason. */
		return array( array( false, sprintf( __( 'The service is not reached: %s', 'comment-moderation' ), $why ) ) );
	}
	$read    = call_service( 'GET', '/v1/events?limit=1' );
	$results = array( array( true, __( 'The service is reached.', 'comment-moderation' ) ) );
	if ( 401 === $read['status'] ) {
		$results[] = array( false, __( 'The service does not know the site key.', 'comment-moderation' ) );
	} else {
		// A batch of one item that cannot be a comment: refused item by item, if the key may submit at all.
		$submit    = call_service( 'POST', '/v1/comments/batch', array( 'comments' => array( (object) array() ) ) );
		$results[] = scope_result( $submit, __( 'send comments', 'comment-moderation' ), 'submit' );
		$results[] = scope_result( $read, __( 'read decisions', 'comment-moderation' ), 'read' );
	}
	$results[] = clock_result( $alive['date'] );
	$results[] = webhook_result();
	return $results;
}

/**
 * Whether the key may do something.
 *
 * @param array  $answer Of a call that needs the scope.
 * @param string $what   In words.
 * @param string $scope  The scope's name.
 */
function scope_result( array $answer, string $what, string $scope ): array {
	if ( 200 === $answer['status'] ) {
		/* translators: %s: what the key may do. */
		return array( true, sprintf( __( 'The site key may %s.', 'comment-moderation' ), $what ) );
	}
	if ( 403 === $answer['status'] ) {
		/* translators: 1: what the key may not do, 2: name of a scope. */
		return array( false, sprintf( __( 'The site key may not %1$s: it lacks the scope "%2$s".', 'comment-moderation' ), $what, $scope ) );
	}
	/* translators: 1: what was tried, 2: status and code of the answer. */
	return array( false, sprintf( __( 'Trying whether the site key may %1$s failed: %2$s', 'comment-moderation' ), $what, $answer['error'] ) );
}

/**
 * Whether the clocks agree; webhooks are refused when they differ by more than five minutes.
 *
 * @param string $date The service's clock, as HTTP gives it.
 */
function clock_result( string $date ): array {
	$there = strtotime( $date );
	if ( false === $there ) {
		return array( null, __( 'The service does not say its time.', 'comment-moderation' ) );
	}
	$seconds = abs( time() - $there );
	if ( $seconds <= CLOCK_SECONDS ) {
		return array( true, __( 'The clocks agree.', 'comment-moderation' ) );
	}
	$words = $seconds > TOLERANCE
		/* translators: %d: seconds. */
		? __( 'The clocks differ by %d seconds: webhooks will be refused.', 'comment-moderation' )
		/* translators: %d: seconds. */
		: __( 'The clocks differ by %d seconds; above 300 webhooks are refused.', 'comment-moderation' );
	return array( $seconds > TOLERANCE ? false : null, sprintf( $words, $seconds ) );
}

/**
 * Whether webhooks arrive. Without them decisions come by cron, within a minute or so.
 */
function webhook_result(): array {
	$seen = (int) get_option( WEBHOOK_SEEN, 0 );
	if ( '' === settings()['secret'] ) {
		return array( null, __( 'No webhook secret is set: late decisions come by cron alone, which asks each minute.', 'comment-moderation' ) );
	}
	if ( ! $seen ) {
		return array( null, __( 'No webhook has arrived yet.', 'comment-moderation' ) );
	}
	/* translators: %s: a length of time. */
	return array( true, sprintf( __( 'The last webhook arrived %s ago.', 'comment-moderation' ), human_time_diff( $seen ) ) );
}
