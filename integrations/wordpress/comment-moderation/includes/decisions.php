<?php
/**
 * Decisions of the service, applied here: from an answer, a webhook or the feed, in whatever order they arrive.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

/** So many handled events are remembered for a comment. */
const EVENTS_KEPT = 20;

/**
 * The status that this plugin itself gave a comment last in this request, so that it is not told to the service as
 * somebody's ruling.
 *
 * @param int         $comment_id The comment.
 * @param string|null $now        To note it, as WordPress names it in transitions.
 */
function status_given( int $comment_id, ?string $now = null ): string {
	static $given = array();
	if ( null !== $now ) {
		$given[ $comment_id ] = $now;
	}
	return $given[ $comment_id ] ?? '';
}

/**
 * Applies one event of the service. False when it changes nothing: it is of no comment here, known or out of date.
 *
 * @param array $event As the feed and the webhook give it.
 */
function apply_event( array $event ): bool {
	if ( in_array( $event['type'] ?? '', array( 'report.closed', 'appeal.decided' ), true ) ) {
		return apply_answer( $event );
	}
	$data    = is_array( $event['data'] ?? null ) ? $event['data'] : array();
	$comment = comment_named( (string) ( $data['external_id'] ?? '' ) );
	$applied = $comment && apply_decision( $comment, $data, (string) ( $event['id'] ?? '' ) );
	if ( $applied && 'rejected' === $data['status'] ) {
		write_about_rejection( $comment, $event );
	}
	return $applied;
}

/**
 * Applies the decision that stands at the service, unless something newer stands here.
 *
 * @param \WP_Comment $comment  The comment.
 * @param array       $view     The comment as the service shows it.
 * @param string      $event_id Of the event that brought it, if one did.
 */
function apply_decision( \WP_Comment $comment, array $view, string $event_id = '' ): bool {
	$id      = (int) $comment->comment_ID;
	$waited  = 'wait' === todo( $id );
	$applied = alone(
		$id,
		static function () use ( $id, $view, $event_id ) {
			return apply_news( $id, $view, $event_id );
		}
	);
	if ( $applied && $waited && 'held' === $view['status'] ) {
		wp_new_comment_notify_moderator( $id ); // WordPress would have written when the comment came, had it not been ours.
	}
	return $applied;
}

/**
 * The same, alone with the comment.
 *
 * @param int    $id       The comment.
 * @param array  $view     The comment as the service shows it.
 * @param string $event_id Of the event that brought it, if one did.
 */
function apply_news( int $id, array $view, string $event_id ): bool {
	$comment  = get_comment( $id );
	$record   = record( $id );
	$decision = is_array( $view['decision'] ?? null ) ? $view['decision'] : array();
	$events   = $record['events'] ?? array();
	if ( ! $comment || has_untold( $comment, $view ) || ! is_news( $record, $view, $decision ) || in_array( $event_id, $events, true ) ) {
		return false;
	}
	if ( '' !== $event_id ) {
		$events = array_slice( array_merge( $events, array( $event_id ) ), -EVENTS_KEPT );
	}
	keep(
		$id,
		array(
			'id'         => (string) $view['id'],
			'revision'   => (int) $view['revision'],
			'status'     => (string) $view['status'],
			'source'     => (string) ( $decision['source'] ?? '' ),
			'decided_at' => (string) $decision['decided_at'],
			'reasons'    => reasons_of( $decision ),
			'events'     => $events,
			'fallback'   => null,
			'error'      => null,
		)
	);
	set_todo( $id, '' );
	set_status( $id, (string) $view['status'] );
	return true;
}

/**
 * Whether something newer stands here: a ruling that is not told yet, or a text that the decision is not about.
 *
 * @param \WP_Comment $comment The comment.
 * @param array       $view    The comment as the service shows it.
 */
function has_untold( \WP_Comment $comment, array $view ): bool {
	$record = record( (int) $comment->comment_ID );
	$edited = 'change' === todo( (int) $comment->comment_ID ) && text_hash( $comment ) !== ( $record['hash'] ?? '' );
	// A revision that this side has not heard of is the new text, whose receipt is about to be noted.
	return isset( $record['ruling'] ) || ( $edited && ( $view['revision'] ?? 0 ) <= ( $record['revision'] ?? 0 ) );
}

/**
 * Whether a decision is newer than the last one that is known here.
 *
 * @param array $record   Of the comment.
 * @param array $view     The comment as the service shows it.
 * @param array $decision That stands there.
 */
function is_news( array $record, array $view, array $decision ): bool {
	return in_array( $view['status'] ?? '', array( 'approved', 'held', 'rejected' ), true )
		&& 'site' !== ( $decision['source'] ?? 'site' )
		&& ( $view['revision'] ?? 0 ) >= ( $record['revision'] ?? 0 )
		&& strcmp( (string) ( $decision['decided_at'] ?? '' ), (string) ( $record['decided_at'] ?? '' ) ) >= 0;
}

/**
 * Why it was decided so, without the spans.
 *
 * @param array $decision As the service gives it.
 */
function reasons_of( array $decision ): array {
	$reasons = array();
	foreach ( array_slice( (array) ( $decision['reasons'] ?? array() ), 0, 10 ) as $reason ) {
		$reasons[] = array_filter( array_intersect_key( (array) $reason, array_flip( array( 'rule', 'score', 'threshold' ) ) ), 'is_scalar' );
	}
	return $reasons;
}

/**
 * Gives the comment the status in WordPress that stands for one of the service.
 *
 * @param int    $comment_id The comment.
 * @param string $status     Either approved, held or rejected.
 */
function set_status( int $comment_id, string $status ): void {
	$now = wp_get_comment_status( $comment_id );
	if ( false === $now ) {
		return; // Its article is in the trash, and the comment with it.
	}
	if ( 'rejected' === $status ) {
		if ( ! in_array( $now, array( 'spam', 'trash' ), true ) ) {
			put_away( $comment_id );
		}
		return;
	}
	$wanted = 'approved' === $status ? 'approved' : 'unapproved';
	if ( $wanted !== $now ) {
		status_given( $comment_id, $wanted );
		delete_comment_meta( $comment_id, '_wp_trash_meta_status' );
		delete_comment_meta( $comment_id, '_wp_trash_meta_time' );
		wp_set_comment_status( $comment_id, 'approved' === $wanted ? 'approve' : 'hold' );
	}
}

/**
 * Moves a rejected comment where the administrator wants it. Without a trash WordPress would delete it: then spam.
 *
 * @param int $comment_id The comment.
 */
function put_away( int $comment_id ): void {
	if ( 'trash' === settings()['rejected'] && EMPTY_TRASH_DAYS ) {
		status_given( $comment_id, 'trash' );
		wp_trash_comment( $comment_id );
	} else {
		status_given( $comment_id, 'spam' );
		wp_spam_comment( $comment_id );
	}
}
