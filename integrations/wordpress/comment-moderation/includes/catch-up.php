<?php
/**
 * What cron does each minute: sends and tells what could not be sent or told, and follows the service's feed, so that
 * a blog which no webhook reaches works too.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

const CATCH_UP      = 'comment_moderation_catch_up';
const CATCH_UP_SOON = 'comment_moderation_catch_up_soon';
const CURSOR        = 'comment_moderation_cursor';

/** Comments or events in one call, and seconds that one run may take. */
const BATCH       = 100;
const RUN_SECONDS = 20;

/** Seconds that a batch may take; no reader waits for it. */
const BATCH_SECONDS = 20;

add_filter( 'cron_schedules', __NAMESPACE__ . '\\add_minute' ); // phpcs:ignore WordPress.WP.CronInterval -- decisions are awaited by readers.
add_action( 'init', __NAMESPACE__ . '\\schedule_catch_up' );
add_action( CATCH_UP, __NAMESPACE__ . '\\catch_up' );
add_action( CATCH_UP_SOON, __NAMESPACE__ . '\\catch_up' );

/**
 * Adds the interval.
 *
 * @param array $schedules Those that there are.
 */
function add_minute( array $schedules ): array {
	$schedules['comment_moderation_minute'] = array(
		'interval' => MINUTE_IN_SECONDS,
		'display'  => __( 'Every minute', 'comment-moderation' ),
	);
	return $schedules;
}

/**
 * Has cron catch up each minute.
 */
function schedule_catch_up(): void {
	if ( ! wp_next_scheduled( CATCH_UP ) ) {
		wp_schedule_event( time(), 'comment_moderation_minute', CATCH_UP );
	}
}

/**
 * No more.
 */
function unschedule_catch_up(): void {
	wp_clear_scheduled_hook( CATCH_UP );
	wp_clear_scheduled_hook( CATCH_UP_SOON );
}

/**
 * Has cron catch up once at this time besides.
 *
 * @param int $time Unix time.
 */
function catch_up_at( int $time ): void {
	$planned = wp_next_scheduled( CATCH_UP_SOON );
	if ( ! $planned || $planned > $time ) {
		wp_clear_scheduled_hook( CATCH_UP_SOON );
		wp_schedule_single_event( $time, CATCH_UP_SOON );
	}
}

/**
 * One run. It ends at the first call that fails; a later run goes on there.
 */
function catch_up(): void {
	if ( ! is_configured() || is_resting() ) {
		return;
	}
	$end  = time() + RUN_SECONDS;
	$done = send_unsent( $end ) && tell_untold( $end ) && withdraw_deleted( $end ) && follow_feed( $end ) && ask_for_waiting( $end );
	if ( ! $done ) {
		catch_up_at( max( time() + 1, health()['rest_until'] ) );
	}
}

/**
 * Sends comments that the service has not got yet, a hundred at once. False when some are left.
 *
 * @param int $end Unix time at which to stop.
 */
function send_unsent( int $end ): bool {
	while ( time() < $end ) {
		$comments = array_values( array_filter( array_map( 'get_comment', comments_to( 'send', BATCH ) ) ) );
		if ( ! $comments ) {
			return true;
		}
		$answer = send_batch( array_map( __NAMESPACE__ . '\\payload', $comments ) );
		if ( ! went_well( $answer ) ) {
			return false;
		}
		foreach ( $comments as $place => $comment ) {
			$result = (array) ( $answer['body']['results'][ $place ] ?? array() );
			// The id is beside the error where another text of this comment is there.
			$error = isset( $result['error'] ) ? (array) $result['error'] + array_intersect_key( $result, array( 'id' => 0 ) ) : null;
			take_answer( $comment, (int) ( $error['status'] ?? 200 ), $error ?? $result );
		}
	}
	return false;
}

/**
 * One call of POST /v1/comments/batch. An answer that has not a result for each comment is an error.
 *
 * @param array $comments As the service takes them; a list.
 */
function send_batch( array $comments ): array {
	$answer = call_service( 'POST', '/v1/comments/batch', array( 'comments' => array_values( $comments ) ), array( 'timeout' => BATCH_SECONDS ) );
	if ( '' === $answer['error'] && count( (array) ( $answer['body']['results'] ?? array() ) ) !== count( $comments ) ) {
		$answer['error'] = sprintf( '%d %s', $answer['status'], (string) ( $answer['body']['code'] ?? '' ) );
	}
	return $answer;
}

/**
 * Tells rulings and edits that could not be told at once. False when some are left.
 *
 * @param int $end Unix time at which to stop.
 */
function tell_untold( int $end ): bool {
	while ( time() < $end ) {
		$ids = comments_to( 'change', BATCH );
		if ( ! $ids ) {
			return true;
		}
		foreach ( $ids as $id ) {
			if ( time() >= $end || ! tell( $id ) ) {
				return false;
			}
		}
	}
	return false;
}

/**
 * Withdraws what was deleted here. False when some are left.
 *
 * @param int $end Unix time at which to stop.
 */
function withdraw_deleted( int $end ): bool {
	global $wpdb;
	// phpcs:ignore WordPress.DB.DirectDatabaseQuery -- options by the beginning of their name.
	$names = $wpdb->get_col( $wpdb->prepare( "SELECT option_name FROM {$wpdb->options} WHERE option_name LIKE %s", $wpdb->esc_like( WITHDRAWAL ) . '%' ) );
	foreach ( $names as $name ) {
		$id = (string) get_option( $name );
		if ( '' === $id ) { // It may have been received though no answer came.
			$answer = call_service( 'GET', '/v1/comments?external_id=' . rawurlencode( substr( $name, strlen( WITHDRAWAL ) ) ) );
			$id     = (string) ( $answer['body']['id'] ?? '' );
		}
		if ( '' !== $id ) {
			$answer = call_service( 'DELETE', '/v1/comments/' . rawurlencode( $id ) );
		}
		if ( time() >= $end || ! went_well( $answer ) ) {
			return false;
		}
		delete_option( $name );
	}
	return true;
}

/**
 * Applies what the feed has since the last time. False when there may be more.
 *
 * @param int $end Unix time at which to stop.
 */
function follow_feed( int $end ): bool {
	while ( time() < $end ) {
		$cursor = (string) get_option( CURSOR, '' );
		$answer = call_service( 'GET', '/v1/events?limit=' . BATCH . '&after=' . rawurlencode( $cursor ), null, array( 'timeout' => BATCH_SECONDS ) );
		if ( 422 === $answer['status'] ) {
			delete_option( CURSOR ); // It is of another feed.
			return false;
		}
		if ( ! went_well( $answer ) || 200 !== $answer['status'] ) {
			return false;
		}
		$events = (array) ( $answer['body']['events'] ?? array() );
		foreach ( $events as $event ) {
			apply_event( (array) $event );
		}
		update_option( CURSOR, (string) ( $answer['body']['next'] ?? $cursor ), false );
		if ( count( $events ) < BATCH ) {
			return true;
		}
	}
	return false;
}

/**
 * Asks for the decision on comments that still wait, should the feed's event have met one in the middle of a change.
 *
 * @param int $end Unix time at which to stop.
 */
function ask_for_waiting( int $end ): bool {
	foreach ( comments_to( 'wait', BATCH ) as $id ) {
		$comment = get_comment( $id );
		$answer  = call_service( 'GET', '/v1/comments?external_id=' . rawurlencode( external_id( $id ) ) );
		if ( time() >= $end || ! went_well( $answer ) ) {
			return false;
		}
		if ( $comment && 200 === $answer['status'] ) {
			apply_decision( $comment, $answer['body'] );
		}
	}
	return true;
}
